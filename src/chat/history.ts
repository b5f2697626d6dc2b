/**
 * The last messages of a room.
 *
 * @module
 */
import { type ChatMessage, formatLine } from "./message.ts";

/** The largest configurable history, in lines. */
export const HISTORY_LIMIT = 1000;

/**
 * The most bytes in a history, and so in the first write to a new member: a quarter of its send
 * queue.
 */
export const HISTORY_SIZE = 64 * 1024;

const encoder = new TextEncoder();

interface Entry {
  readonly at: number;
  readonly line: string;
  /** Bytes of the line. */
  readonly size: number;
}

/** The last lines of a room; it keeps none by default. */
export class History {
  #limit = 0;
  #entries: Entry[] = [];
  #size = 0;

  /** The number of lines that it keeps. */
  get limit(): number {
    return this.#limit;
  }

  /** Raises the limit to at least so many lines. */
  keep(lines: number): void {
    this.#limit = Math.max(this.#limit, lines);
  }

  /** Adds a message. */
  add(event: ChatMessage): void {
    if (this.#limit === 0) return;
    this.#push(event);
    // Trimmed in batches, because it is costly.
    if (this.#entries.length >= 2 * this.#limit || this.#size >= 2 * HISTORY_SIZE) this.#trim();
  }

  /** Adds messages from an archive, sorted by time and without duplicates. */
  merge(messages: readonly ChatMessage[]): void {
    const known = new Set(this.#entries.map(({ at, line }) => `${at} ${line}`));
    for (const event of messages) {
      if (!known.has(`${event.at} ${formatLine(event)}`)) this.#push(event);
    }
    this.#entries.sort((one, other) => one.at - other.at);
    this.#trim();
  }

  /** The last lines in order, with newlines; at most {@linkcode HISTORY_SIZE} bytes. */
  last(lines: number): string[] {
    return this.#latest(lines).map(({ line }) => line);
  }

  #push(event: ChatMessage): void {
    const line = formatLine(event);
    const size = encoder.encode(line).length;
    this.#entries.push({ at: event.at, line, size });
    this.#size += size;
  }

  #trim(): void {
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
