/**
 * What was read from files, read again when they have changed.
 *
 * @module
 */
import { explain } from "../errors.ts";

/** Options of {@linkcode FileContents}. */
export interface FileContentsOptions<T> {
  /** The files. */
  readonly files: readonly (string | undefined)[];
  /** Reads them. `before` is what they had. */
  read(before: T | undefined): Promise<T>;
  /** Called when changed files are invalid; what they had before stays. */
  onFault(reason: string): void;
}

/** The contents of files that are looked at for each use. */
export class FileContents<T> {
  readonly #options: FileContentsOptions<T>;
  #value: { readonly is: T } | undefined;
  #stamp: Stamp | undefined;

  /** Reads nothing yet. */
  constructor(options: FileContentsOptions<T>) {
    this.#options = options;
  }

  /** What was read last; `undefined` before {@linkcode current} has read them. */
  get latest(): T | undefined {
    return this.#value?.is;
  }

  /**
   * What is in the files now.
   * @throws {Error} why they cannot be read, if they never could
   */
  async current(): Promise<T> {
    const { files, read, onFault } = this.#options;
    const before = this.#value;
    const stamp = await stampOf(files);
    if (before && stamp.text === this.#stamp?.text && this.#stamp.isSettled) return before.is;
    const isSame = stamp.text === this.#stamp?.text;
    this.#stamp = stamp;
    try {
      this.#value = { is: await read(before?.is) };
    } catch (error) {
      if (!before) throw error;
      if (!isSame) onFault(explain(error));
    }
    return this.#value!.is;
  }
}

/** The stat fields that show whether files have changed. */
interface Stamp {
  /** The fields of all files as text. */
  readonly text: string;
  /**
   * Whether a later change is sure to change the text: ctime has a resolution of one second here.
   */
  readonly isSettled: boolean;
}

/** The age of the latest change from which it is settled, in milliseconds. */
const SETTLE_TIME = 2_000;

async function stampOf(paths: readonly (string | undefined)[]): Promise<Stamp> {
  const files = paths.filter((file) => file !== undefined);
  const now = Date.now();
  const stats = await Promise.all(
    files.map((file) => Deno.stat(file).catch(() => undefined)),
  );
  return {
    // Users can set mtime, but not ctime.
    text: stats.map((stat) =>
      `${stat?.ino} ${stat?.size} ${stat?.mtime?.getTime()} ${stat?.ctime?.getTime()}`
    ).join(),
    isSettled: stats.every((stat) => now - (stat?.ctime?.getTime() ?? 0) > SETTLE_TIME),
  };
}
