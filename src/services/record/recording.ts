/**
 * A file that what arrives is appended to, and that is put aside when it has grown too large or too old.
 *
 * @module
 */
import { codeOf, explain } from "../../transport/errors.ts";

/** When a file is put aside, and what is done to keep it through a power cut. */
export interface RecordingOptions {
  /** Bytes after which a new file is begun. */
  readonly rotateSize?: number | undefined;
  /** Milliseconds after which a new file is begun. */
  readonly rotateAge?: number | undefined;
  /** How many files that were put aside are kept; all, where it is not said. */
  readonly keep?: number | undefined;
  /** When the disk has to have it: after every write, when a client ends, or when the system likes. */
  readonly sync: "write" | "close" | "never";
}

/** Something could not be recorded. Its message says where and why. */
export class RecordingError extends Error {
  /** Tells it from faults of the network. */
  override readonly name = "RecordingError";
}

/** One file. Whatever is asked of it happens in turn; it is opened when it is first written to. */
export class Recording {
  /** Where it is. */
  readonly path: string;

  readonly #options: RecordingOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #file: Deno.FsFile | undefined;
  #isDirty = false;
  #size = 0;
  #since = 0;

  /** Nothing is opened yet. */
  constructor(path: string, options: RecordingOptions) {
    this.path = path;
    this.#options = options;
  }

  /**
   * Appends the parts, one behind the other, all of them or none.
   *
   * @throws {RecordingError}
   */
  append(...parts: readonly Uint8Array[]): Promise<void> {
    return this.#inTurn(async () => {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      await this.#open();
      if (this.#isFull(length)) await this.#rotate();
      const file = await this.#open();
      try {
        for (const part of parts) await writeAll(file, part);
        this.#size += length;
        this.#isDirty = true;
      } catch (error) {
        // Half a line would run into the next one.
        await file.truncate(this.#size).catch(() => {});
        throw error;
      }
      if (this.#options.sync === "write") await this.#settle();
    });
  }

  /**
   * Resolves when the disk has all that was appended so far.
   *
   * @throws {RecordingError}
   */
  sync(): Promise<void> {
    // Whoever asks before it is begun is served by it, too.
    return this.#syncing ??= this.#inTurn(async () => {
      this.#syncing = undefined;
      await this.#settle();
    });
  }

  /** Closes the file; it is opened again when something is appended. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  #inTurn(job: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(job).catch((error) => {
      throw new RecordingError(`cannot record to ${this.path}: ${reasonOf(error)}`, {
        cause: error,
      });
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #open(): Promise<Deno.FsFile> {
    if (this.#file) return this.#file;
    const file = await Deno.open(this.path, { append: true, create: true });
    try {
      const { size, birthtime } = await file.stat();
      this.#size = size;
      this.#since = birthtime?.getTime() ?? Date.now();
      // A name is kept through a power cut by its folder.
      if (size === 0 && this.#options.sync !== "never") await syncFolder(this.path);
    } catch (error) {
      file.close();
      throw error;
    }
    return this.#file = file;
  }

  async #settle(): Promise<void> {
    if (!this.#isDirty) return;
    await this.#file?.sync().catch((error) => {
      // A pipe or a device has no disk behind it.
      if (codeOf(error) !== "EINVAL") throw error;
    });
    this.#isDirty = false;
  }

  async #close(): Promise<void> {
    using file = this.#file;
    if (!file) return;
    // Others who share the file may not have asked for their bytes to be kept yet.
    if (this.#options.sync !== "never") await this.#settle();
    this.#file = undefined;
  }

  #isFull(more: number): boolean {
    if (this.#size === 0) return false;
    const { rotateSize = Infinity, rotateAge = Infinity } = this.#options;
    return this.#size + more > rotateSize || Date.now() - this.#since >= rotateAge;
  }

  async #rotate(): Promise<void> {
    await this.#close();
    await Deno.rename(this.path, await freeName(`${this.path}.${timestamp()}`));
    if (this.#options.keep !== undefined) await forget(this.path, this.#options.keep);
  }
}

/** This moment as it stands in names of files: `20261122T204745.123Z`. */
export function timestamp(): string {
  return new Date().toISOString().replaceAll(/[-:]/g, "");
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(folderOf(path));
  await folder.sync();
}

async function freeName(name: string): Promise<string> {
  for (let number = 1;; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!await Deno.lstat(candidate).catch(() => undefined)) return candidate;
  }
}

/** Removes the oldest of the files that were put aside, but for so many. */
async function forget(path: string, keep: number): Promise<void> {
  const folder = folderOf(path);
  const start = path.slice(path.lastIndexOf("/") + 1) + ".";
  const names = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(start) && /^\d{8}T\d{6}\.\d{3}Z/.test(name.slice(start.length))) {
      names.push(name);
    }
  }
  for (const name of names.sort().slice(0, Math.max(names.length - keep, 0))) {
    await Deno.remove(`${folder}/${name}`);
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "." : path.slice(0, slash) || "/";
}

function reasonOf(error: unknown): string {
  return codeOf(error) === "ENOENT" ? "there is no such folder" : explain(error).split(":")[0]!;
}
