/**
 * Splits bytes into lines.
 *
 * @module
 */

import { TurnBudget } from "../scheduling/turn_budget.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One line, without its LF or CRLF. */
export interface Line {
  /** Its text; invalid UTF-8 is replaced by U+FFFD. */
  readonly text: string;
  /** Whether it was longer than the limit, and the rest dropped. */
  readonly isTruncated: boolean;
}

/** Splits chunks into lines. It holds at most `limit` bytes. */
export class LineSplitter {
  readonly #buffer: Uint8Array;
  readonly #decoder = new TextDecoder();
  #length = 0;
  #isTruncated = false;

  /** A splitter for lines of at most `limit` bytes. */
  constructor({ limit }: { limit: number }) {
    this.#buffer = new Uint8Array(limit);
  }

  /** Whether there is an incomplete line. */
  get isPending(): boolean {
    return this.#length > 0 || this.#isTruncated;
  }

  /** The lines that this chunk completes. */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (
      let end = chunk.indexOf(NEWLINE);
      end !== -1;
      start = end + 1, end = chunk.indexOf(NEWLINE, start)
    ) {
      this.#hold(chunk.subarray(start, end));
      yield this.#release();
    }
    this.#hold(chunk.subarray(start));
  }

  /** The incomplete line at the end, if there is one. */
  *end(): Generator<Line> {
    if (this.isPending) yield this.#release();
  }

  #hold(part: Uint8Array): void {
    const space = this.#buffer.length - this.#length;
    this.#isTruncated ||= part.length > space;
    const stored = part.length > space ? part.subarray(0, space) : part;
    this.#buffer.set(stored, this.#length);
    this.#length += stored.length;
  }

  #release(): Line {
    const endsWithCr = this.#length > 0 && this.#buffer[this.#length - 1] === CARRIAGE_RETURN;
    const length = endsWithCr && !this.#isTruncated ? this.#length - 1 : this.#length;
    const line = {
      text: this.#decoder.decode(this.#buffer.subarray(0, length)),
      isTruncated: this.#isTruncated,
    };
    this.#length = 0;
    this.#isTruncated = false;
    return line;
  }
}

/**
 * The lines in a stream of chunks, each of at most `limit` bytes; the last may lack its newline.
 * One chunk can hold a quarter of a million lines, so they are yielded in turns of the event
 * loop.
 */
export async function* lines(
  chunks: AsyncIterable<Uint8Array>,
  { limit }: { limit: number },
): AsyncGenerator<Line> {
  const splitter = new LineSplitter({ limit });
  const budget = new TurnBudget();
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) {
      yield line;
      const turn = budget.spend();
      if (turn) await turn;
    }
  }
  yield* splitter.end();
}
