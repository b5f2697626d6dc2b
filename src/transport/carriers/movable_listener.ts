/**
 * A Unix listener whose path another listener of the same process can take over without refusing
 * clients. Deno removes the path a socket was bound to when it is closed, even if another socket
 * has it by then. So the socket is bound to a temporary path and renamed, and the inode is compared
 * before the path is removed.
 *
 * @module
 */
import type { Listener } from "../carrier.ts";
import { type ByteStream, streamOf, wrap } from "../stream.ts";

/** The maximum length of a path to bind to in bytes (`sun_path`, unix(7)). */
const MAX_PATH = 107;

/** A listener on a path. */
export class MovableListener implements Listener {
  /** The path it listens on. */
  readonly addr: Deno.UnixAddr;
  readonly #listener: Deno.UnixListener;
  readonly #boundAt: string;
  readonly #inode: number | null;
  #isWaiting: boolean;

  /**
   * Binds. With `takesOver`, the path is only replaced when the first connection is accepted here.
   * @throws {Error} the system's error, also if the path exists and may not be taken over
   */
  constructor(path: string, { takesOver = false }: { takesOver?: boolean | undefined }) {
    this.addr = { transport: "unix", path };
    this.#boundAt = temporaryPath(path);
    this.#listener = Deno.listen({ transport: "unix", path: this.#boundAt });
    this.#inode = Deno.lstatSync(this.#boundAt).ino;
    this.#isWaiting = takesOver;
    if (takesOver) return;
    try {
      Deno.linkSync(this.#boundAt, path);
      Deno.removeSync(this.#boundAt);
    } catch (error) {
      this.#listener.close();
      throw error;
    }
  }

  /** Resolves to the next connection. */
  async accept(): Promise<ByteStream> {
    if (this.#isWaiting) {
      Deno.renameSync(this.#boundAt, this.addr.path);
      this.#isWaiting = false;
    }
    const stream = streamOf(await this.#listener.accept());
    return wrap(stream, { localAddr: this.addr });
  }

  /** Stops listening, and removes the file unless another socket has taken the path over. */
  close(): void {
    this.#listener.close();
    if (this.#isWaiting) return;
    try {
      if (Deno.lstatSync(this.addr.path).ino === this.#inode) Deno.removeSync(this.addr.path);
    } catch {
      // The file is already gone.
    }
  }
}

/** An unused path in the same directory. */
function temporaryPath(path: string): string {
  const word = crypto.randomUUID().slice(0, 6);
  const longer = `${path}.${word}`;
  if (new TextEncoder().encode(longer).length <= MAX_PATH) return longer;
  return `${path.slice(0, path.lastIndexOf("/") + 1)}.${word}`;
}
