/**
 * Spare file descriptors for accept. They are opened at the start and given up one by one, so that
 * accept succeeds when the process has used up all others (as libev does).
 *
 * @module
 */

/** The soft limit of descriptors of the process; `undefined` if it cannot be read. */
export function descriptorLimit(): number | undefined {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return Number.isFinite(limit) ? limit : undefined;
  } catch {
    // Not Linux, or no permission to read.
    return undefined;
  }
}

/** Spare descriptors. Disposing it closes them. */
export class SpareDescriptors implements Disposable {
  readonly #files: Deno.FsFile[] = [];
  readonly #count: number;
  #lent = 0;

  /** Opens up to `count` descriptors. */
  constructor(count: number) {
    this.#count = count;
    this.#fill();
  }

  /** Closes one, for a socket that exists or is about to be accepted. */
  lend(): void {
    this.#lent++;
    this.#files.pop()?.close();
  }

  /** Reopens one after that socket was closed, and those that could not be opened before. */
  takeBack(): void {
    this.#lent--;
    this.#fill();
  }

  /** Closes all. */
  [Symbol.dispose](): void {
    this.#lent = this.#count;
    for (const file of this.#files.splice(0)) file.close();
  }

  #fill(): void {
    try {
      while (this.#files.length < this.#count - this.#lent) {
        this.#files.push(Deno.openSync("/dev/null"));
      }
    } catch {
      // No descriptor is free, or there is no such file: accept reports it.
    }
  }
}
