/**
 * The file of a log: it is put aside when it has grown, opened anew when somebody moved it, and never holds half a line.
 *
 * @module
 */
import { writeAll } from "../transport/write_all.ts";
import type { ByteSink } from "../terminal/bounded_writer.ts";
import { explain } from "../transport/errors.ts";

/** A file that is put aside when it has grown: `FILE` becomes `FILE.1`, that `FILE.2`, and so on. */
export interface LogFile {
  /** Where it is. */
  readonly path: string;
  /** The bytes at which it is put aside. */
  readonly maxSize: number;
  /** How many files are kept, itself included. */
  readonly maxFiles: number;
}

const NEWLINE = 0x0a;

/** Takes whole lines. What it cannot take, it throws, and the file is as it was. */
export class LogFileSink implements ByteSink, Disposable {
  readonly #options: LogFile;
  #file: Deno.FsFile | undefined;
  #opening: Promise<Deno.FsFile> | undefined;
  #isClosed = false;

  /** A log at this path; it is opened with the first line. */
  constructor(options: LogFile) {
    this.#options = options;
  }

  /**
   * Opens it now.
   *
   * @throws {Error} which says why it cannot be opened
   */
  async open(): Promise<void> {
    try {
      await this.#current();
    } catch (cause) {
      const why = cause instanceof Deno.errors.NotFound
        ? "the folder is not there"
        : explain(cause);
      throw new Error(`cannot open the log ${this.#options.path}: ${why}`, { cause });
    }
  }

  /** Takes as many of the lines as the file has room for, at least one. */
  async write(lines: Uint8Array): Promise<number> {
    let { file, info } = await this.#current();
    let length = wholeLines(lines, this.#options.maxSize - info.size);
    if (length === 0 && info.isFile && info.size > 0) {
      file = await this.#turnOver(file);
      info = await file.stat();
      length = wholeLines(lines, this.#options.maxSize - info.size);
    }
    if (!info.isFile) length = lines.length;
    if (length === 0) length = lines.indexOf(NEWLINE) + 1 || lines.length;
    try {
      await writeAll(file, lines.subarray(0, length));
    } catch (error) {
      // Half a line would be taken for a whole one.
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

  /** The file that is at the path now; whoever moved or removed the one before wants another. */
  async #current(): Promise<{ file: Deno.FsFile; info: Deno.FileInfo }> {
    const there = await Deno.stat(this.#options.path).catch(() => undefined);
    const before = this.#file;
    if (before !== undefined) {
      const info = await before.stat();
      if (there?.ino === info.ino && there.dev === info.dev) return { file: before, info };
      this.#file = undefined;
      before.close();
    }
    // Whoever opens it first opens it for both.
    this.#opening ??= this.#openFile(there).finally(() => this.#opening = undefined);
    const file = await this.#opening;
    return { file, info: await file.stat() };
  }

  async #openFile(there: Deno.FileInfo | undefined): Promise<Deno.FsFile> {
    const { path } = this.#options;
    // A pipe that is opened for both ways does not wait for its reader.
    const file = await Deno.open(path, {
      append: true,
      create: true,
      read: there?.isFifo ?? false,
    });
    if (this.#isClosed) file.close();
    else this.#file = file;
    return file;
  }

  async #turnOver(file: Deno.FsFile): Promise<Deno.FsFile> {
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

/** How many bytes the whole lines have that fit in so much room. */
function wholeLines(lines: Uint8Array, room: number): number {
  return room >= lines.length
    ? lines.length
    : lines.lastIndexOf(NEWLINE, Math.max(room - 1, 0)) + 1;
}
