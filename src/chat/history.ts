/**
 * What was said in a room lately.
 *
 * @module
 */
import { type ChatMessage, formatLine } from "./message.ts";

/** The most lines that a room can be asked to remember. */
export const HISTORY_LIMIT = 1000;

interface Entry {
  readonly at: number;
  readonly line: string;
}

/** The last lines of a room: none, until it is asked to keep some. */
export class History {
  #limit = 0;
  #entries: Entry[] = [];

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
    this.#entries.push({ at: fact.at, line: formatLine(fact) });
    // Forgetting now and then costs less than with every line.
    if (this.#entries.length >= 2 * this.#limit) this.#forget();
  }

  /** Remembers what others remember, in the order in which it was said; what is known already is not doubled. */
  merge(facts: readonly ChatMessage[]): void {
    const known = new Set(this.#entries.map(({ at, line }) => `${at} ${line}`));
    for (const fact of facts) {
      const entry = { at: fact.at, line: formatLine(fact) };
      if (!known.has(`${entry.at} ${entry.line}`)) this.#entries.push(entry);
    }
    this.#entries.sort((one, other) => one.at - other.at);
    this.#forget();
  }

  /** The last lines, the latest last, each with its newline. */
  last(lines: number): string[] {
    return lines === 0 ? [] : this.#entries.slice(-lines).map(({ line }) => line);
  }

  #forget(): void {
    this.#entries = this.#limit === 0 ? [] : this.#entries.slice(-this.#limit);
  }
}
