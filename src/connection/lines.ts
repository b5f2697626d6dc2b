/**
 * Bytes as they come, into lines as people mean them.
 *
 * @module
 */

import { TurnBudget } from "../scheduling/turn_budget.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** One line, without its LF or CRLF. */
export interface Line {
  /** Its text; bytes that are not UTF-8 have become U+FFFD. */
  readonly text: string;
  /** Whether it was longer than the limit; the rest of it was dropped. */
  readonly cut: boolean;
}

/** Splits chunks into lines. It never holds more than `limit` bytes, however long a line grows. */
export class LineSplitter {
  readonly #held: Uint8Array;
  readonly #decoder = new TextDecoder();
  #length = 0;
  #cut = false;

  /** Lines keep at most `limit` bytes. */
  constructor({ limit }: { limit: number }) {
    this.#held = new Uint8Array(limit);
  }

  /** Whether a line was begun that has not ended. */
  get isPending(): boolean {
    return this.#length > 0 || this.#cut;
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

  /** The line that was begun and never ended, if there is one. */
  *end(): Generator<Line> {
    if (this.isPending) yield this.#release();
  }

  #hold(part: Uint8Array): void {
    const space = this.#held.length - this.#length;
    this.#cut ||= part.length > space;
    const kept = part.length > space ? part.subarray(0, space) : part;
    this.#held.set(kept, this.#length);
    this.#length += kept.length;
  }

  #release(): Line {
    const endsWithCr = this.#length > 0 && this.#held[this.#length - 1] === CARRIAGE_RETURN;
    const length = endsWithCr && !this.#cut ? this.#length - 1 : this.#length;
    const line = { text: this.#decoder.decode(this.#held.subarray(0, length)), cut: this.#cut };
    this.#length = 0;
    this.#cut = false;
    return line;
  }
}

/**
 * The lines in a stream of chunks, each of at most `limit` bytes; the last may lack its newline. One chunk can hold a
 * quarter of a million of them: they come in turns, and everybody else runs in between.
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
