/**
 * A log file: it is rotated by size, reopened after it was moved (as by logrotate), and contains only whole lines.
 *
 * @module
 */
import { writeAll } from "../transport/write_all.ts";
import type { ByteSink } from "../terminal/bounded_writer.ts";
import { explain } from "../transport/errors.ts";

/** A log file that is rotated: `FILE` is renamed to `FILE.1`, that to `FILE.2`, and so on. */
export interface LogFile {
  /** Its path. */
  readonly path: string;
  /** The size at which it is rotated, in bytes. */
  readonly maxSize: number;
  /** How many files are kept, including the current one. */
  readonly maxFiles: number;
}

const NEWLINE = 0x0a;

/** The open file, and its state before a write. */
interface OpenFile {
  readonly file: Deno.FsFile;
  readonly info: Deno.FileInfo;
}

/** Writes whole lines. On an error it throws and leaves the file unchanged. */
export class LogFileSink implements ByteSink, Disposable {
  readonly #options: LogFile;
  #file: Deno.FsFile | undefined;
  #looking: Promise<OpenFile> | undefined;
  #isClosed = false;

  /** Does not open the file yet. */
  constructor(options: LogFile) {
    this.#options = options;
  }

  /**
   * Opens the file.
   *
   * @throws {Error} which says why it cannot be opened
   */
  async open(): Promise<void> {
    try {
      await this.#current();
    } catch (cause) {
      const why = cause instanceof Deno.errors.NotFound ? "no such directory" : explain(cause);
      throw new Error(`cannot open the log ${this.#options.path}: ${why}`, { cause });
    }
  }

  /** Writes as many of the lines as fit into the file, at least one; returns their bytes. */
  async write(lines: Uint8Array): Promise<number> {
    let { file, info } = await this.#current();
    let length = wholeLines(lines, this.#options.maxSize - info.size);
    if (length === 0 && info.isFile && info.size > 0) {
      file = await this.#rotate(file);
      info = await file.stat();
      length = wholeLines(lines, this.#options.maxSize - info.size);
    }
    if (!info.isFile) length = lines.length;
    if (length === 0) length = lines.indexOf(NEWLINE) + 1 || lines.length;
    try {
      await writeAll(file, lines.subarray(0, length));
    } catch (error) {
      // Removes a partial line.
      if (info.isFile) await file.truncate(info.size);
      throw error;
    }
    return length;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#file?.close();
    this.#file = undefined;
  }

  /** The open file, or a new one if the path now leads to another file or to none. Concurrent calls share one look. */
  #current(): Promise<OpenFile> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  async #look(): Promise<OpenFile> {
    const there = await Deno.stat(this.#options.path).catch(() => undefined);
    const before = this.#file;
    if (before !== undefined) {
      const info = await before.stat();
      if (there?.ino === info.ino && there.dev === info.dev) return { file: before, info };
      this.#file = undefined;
      before.close();
    }
    const file = await this.#openFile(there);
    return { file, info: await file.stat() };
  }

  async #openFile(there: Deno.FileInfo | undefined): Promise<Deno.FsFile> {
    const { path } = this.#options;
    // Opening a FIFO for reading and writing does not block.
    const file = await Deno.open(path, {
      append: true,
      create: true,
      read: there?.isFifo ?? false,
    });
    if (this.#isClosed) file.close();
    else this.#file = file;
    return file;
  }

  async #rotate(file: Deno.FsFile): Promise<Deno.FsFile> {
    const { path, maxFiles } = this.#options;
    if (maxFiles === 1) {
      await file.truncate();
      return file;
    }
    for (let number = maxFiles - 1; number > 0; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      await Deno.rename(from, `${path}.${number}`).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
    return (await this.#current()).file;
  }
}

/** The number of bytes of the whole lines that fit into `room` bytes. */
function wholeLines(lines: Uint8Array, room: number): number {
  return room >= lines.length
    ? lines.length
    : lines.lastIndexOf(NEWLINE, Math.max(room - 1, 0)) + 1;
}
