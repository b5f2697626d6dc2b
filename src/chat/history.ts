/**
 * What was said in a room lately.
 *
 * @module
 */
import { type ChatMessage, formatLine } from "./message.ts";

/** The most lines that a room can be asked to remember. */
export const HISTORY_LIMIT = 1000;

/**
 * The most bytes of lines that a room remembers, and so the most that a newcomer is sent at once: a quarter of what
 * may wait for somebody who reads slowly.
 */
export const HISTORY_SIZE = 64 * 1024;

const encoder = new TextEncoder();

interface Entry {
  readonly at: number;
  readonly line: string;
  /** Bytes of the line. */
  readonly size: number;
}

/** The last lines of a room: none, until it is asked to keep some. */
export class History {
  #limit = 0;
  #entries: Entry[] = [];
  #size = 0;

  /** How many lines it keeps. */
  get limit(): number {
    return this.#limit;
  }

  /** Keeps at least so many lines from now on. */
  keep(lines: number): void {
    this.#limit = Math.max(this.#limit, lines);
  }

  /** Remembers what was said. */
  add(fact: ChatMessage): void {
    if (this.#limit === 0) return;
    this.#push(fact);
    // Forgetting now and then costs less than with every line.
    if (this.#entries.length >= 2 * this.#limit || this.#size >= 2 * HISTORY_SIZE) this.#forget();
  }

  /** Remembers what others remember, in the order in which it was said; what is known already is not doubled. */
  merge(facts: readonly ChatMessage[]): void {
    const known = new Set(this.#entries.map(({ at, line }) => `${at} ${line}`));
    for (const fact of facts) {
      if (!known.has(`${fact.at} ${formatLine(fact)}`)) this.#push(fact);
    }
    this.#entries.sort((one, other) => one.at - other.at);
    this.#forget();
  }

  /** The last lines, the latest last, each with its newline: so many, and at most {@linkcode HISTORY_SIZE} bytes. */
  last(lines: number): string[] {
    return this.#latest(lines).map(({ line }) => line);
  }

  #push(fact: ChatMessage): void {
    const line = formatLine(fact);
    const size = encoder.encode(line).length;
    this.#entries.push({ at: fact.at, line, size });
    this.#size += size;
  }

  #forget(): void {
    this.#entries = this.#latest(this.#limit);
    this.#size = this.#entries.reduce((sum, { size }) => sum + size, 0);
  }

  #latest(lines: number): Entry[] {
    let start = this.#entries.length;
    const first = Math.max(0, start - lines);
    for (let size = 0; start > first; start--) {
      size += this.#entries[start - 1]!.size;
      if (size > HISTORY_SIZE) break;
    }
    return this.#entries.slice(start);
  }
}
