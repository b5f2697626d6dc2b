/**
 * A file that data is appended to, with rotation.
 *
 * @module
 */
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { codeOf, explain } from "../../transport/errors.ts";
import { writeAll } from "../../transport/write_all.ts";

/** When a file is rotated, and when it is flushed to disk. */
export interface RecordingOptions {
  /** Rotate before the file exceeds this many bytes. */
  readonly rotateSize?: number | undefined;
  /** Rotate at this age, in milliseconds. */
  readonly rotateAge?: number | undefined;
  /** How many rotated files are kept; all by default. */
  readonly keep?: number | undefined;
  /** When to call fsync(2): after every write, before a client is closed, or never. */
  readonly sync: "write" | "close" | "never";
}

/** Data could not be recorded. The message says where and why. */
export class RecordingError extends Error {
  /** Distinguishes it from network errors. */
  override readonly name = "RecordingError";
}

/** One file. Its operations run one after the other; it is opened at the first append. */
export class Recording {
  /** The path of the file. */
  readonly path: string;

  readonly #options: RecordingOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #file: Deno.FsFile | undefined;
  #isDirty = false;
  #size = 0;
  #since = 0;

  /** Does not open the file yet. */
  constructor(path: string, options: RecordingOptions) {
    this.path = path;
    this.#options = options;
  }

  /**
   * Appends all parts, or none on an error.
   *
   * @throws {RecordingError}
   */
  append(...parts: readonly Uint8Array[]): Promise<void> {
    return this.#serialize(async () => {
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      await this.#open();
      if (this.#isFull(length)) await this.#rotate();
      const file = await this.#open();
      try {
        for (const part of parts) await writeAll(file, part);
        this.#size += length;
        this.#isDirty = true;
      } catch (error) {
        // Removes a partial write.
        await file.truncate(this.#size).catch(() => {});
        throw error;
      }
      if (this.#options.sync === "write") await this.#flush();
    });
  }

  /**
   * Resolves when all appended data is on disk.
   *
   * @throws {RecordingError}
   */
  sync(): Promise<void> {
    // Calls that wait for the same fsync share it.
    return this.#syncing ??= this.#serialize(async () => {
      this.#syncing = undefined;
      await this.#flush();
    });
  }

  /** Closes the file; the next append opens it again. */
  close(): Promise<void> {
    return this.#serialize(() => this.#close());
  }

  #serialize(job: () => Promise<void>): Promise<void> {
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
      // The name of a new file is on disk only after fsync(2) of its directory.
      if (size === 0 && this.#options.sync !== "never") await syncDirectory(this.path);
    } catch (error) {
      file.close();
      throw error;
    }
    return this.#file = file;
  }

  async #flush(): Promise<void> {
    if (!this.#isDirty) return;
    await this.#file?.sync().catch((error) => {
      // A FIFO or a device cannot be synced.
      if (codeOf(error) !== "EINVAL") throw error;
    });
    this.#isDirty = false;
  }

  async #close(): Promise<void> {
    using file = this.#file;
    if (!file) return;
    // Other clients that share the file may not have called sync yet.
    if (this.#options.sync !== "never") await this.#flush();
    this.#file = undefined;
  }

  #isFull(more: number): boolean {
    if (this.#size === 0) return false;
    const { rotateSize = Infinity, rotateAge = Infinity } = this.#options;
    return this.#size + more > rotateSize || Date.now() - this.#since >= rotateAge;
  }

  async #rotate(): Promise<void> {
    await this.#close();
    await Deno.rename(this.path, await unusedName(`${this.path}.${timestamp()}`));
    if (this.#options.keep !== undefined) await removeOldest(this.path, this.#options.keep);
  }
}

/** The current time for file names: `20261122T204745.123Z`. */
export function timestamp(): string {
  return new Date().toISOString().replaceAll(/[-:]/g, "");
}

async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(dirname(path));
  await directory.sync();
}

async function unusedName(name: string): Promise<string> {
  for (let number = 1;; number++) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!await Deno.lstat(candidate).catch(() => undefined)) return candidate;
  }
}

/** Removes the oldest rotated files, except for `keep`. */
async function removeOldest(path: string, keep: number): Promise<void> {
  const directory = dirname(path);
  const start = `${basename(path)}.`;
  const names = [];
  for await (const { name } of Deno.readDir(directory)) {
    if (name.startsWith(start) && /^\d{8}T\d{6}\.\d{3}Z/.test(name.slice(start.length))) {
      names.push(name);
    }
  }
  for (const name of names.sort().slice(0, Math.max(names.length - keep, 0))) {
    await Deno.remove(`${directory}/${name}`);
  }
}

function reasonOf(error: unknown): string {
  return codeOf(error) === "ENOENT" ? "no such directory" : explain(error).split(":")[0]!;
}
