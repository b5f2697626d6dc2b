/**
 * File descriptors that are kept for one purpose: they are taken at the start, and each is given up when it is needed,
 * so that accept finds a free one also when everybody else has used up the rest (as libev does it).
 *
 * @module
 */

/** The soft limit of the process; `undefined` where the system does not tell. */
export function descriptorLimit(): number | undefined {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return Number.isFinite(limit) ? limit : undefined;
  } catch {
    // Not Linux, or without the right to read.
    return undefined;
  }
}

/** Holds descriptors until it is disposed. */
export class SpareDescriptors implements Disposable {
  readonly #held: Deno.FsFile[] = [];
  readonly #count: number;
  #lent = 0;

  /** Takes so many, or as many as there are. */
  constructor(count: number) {
    this.#count = count;
    this.#fill();
  }

  /** Gives one up for a socket that is there, or is to come. */
  lend(): void {
    this.#lent++;
    this.#held.pop()?.close();
  }

  /** Takes one back once that socket is closed, and those that could not be had before. */
  takeBack(): void {
    this.#lent--;
    this.#fill();
  }

  /** Gives all of them up. */
  [Symbol.dispose](): void {
    this.#lent = this.#count;
    for (const file of this.#held.splice(0)) file.close();
  }

  #fill(): void {
    try {
      while (this.#held.length < this.#count - this.#lent) {
        this.#held.push(Deno.openSync("/dev/null"));
      }
    } catch {
      // There is none, or no such file: whoever accepts will find out.
    }
  }
}
