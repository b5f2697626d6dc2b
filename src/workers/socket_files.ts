/**
 * Removes the files of a worker's Unix sockets when the worker has ended or hangs: closing a socket
 * does not remove its file, and a worker that hangs does not close its sockets.
 *
 * @module
 */
import type { WorkerHandle } from "./worker_handle.ts";

/** The file of a bound Unix socket. */
interface SocketFile {
  readonly path: string;
  /** Its device and inode: the path may have been taken over since. */
  readonly inode: string;
}

/** The files of the Unix sockets that each worker has bound. */
export class SocketFiles {
  readonly #files = new Map<WorkerHandle, SocketFile[]>();

  /** Notes that a worker listens at these paths. */
  async note(worker: WorkerHandle, paths: readonly string[]): Promise<void> {
    const found = await Promise.all(paths.map(async (path) => {
      const inode = inodeOf(await Deno.lstat(path).catch(() => undefined));
      return inode === undefined ? [] : [{ path, inode }];
    }));
    this.#files.set(worker, found.flat());
  }

  /** Removes the files that are still those of the worker's sockets. */
  remove(worker: WorkerHandle): void {
    const files = this.#files.get(worker) ?? [];
    this.#files.delete(worker);
    for (const { path, inode } of files) {
      try {
        if (inodeOf(Deno.lstatSync(path)) === inode) Deno.removeSync(path);
      } catch {
        // The file is already gone.
      }
    }
  }
}

/** The device and inode of a socket; `undefined` for other files. */
function inodeOf(file: Deno.FileInfo | undefined): string | undefined {
  return file?.isSocket ? `${file.dev}:${file.ino}` : undefined;
}
