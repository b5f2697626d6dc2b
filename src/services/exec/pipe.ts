/**
 * What a program writes, read to its end, also where somebody else keeps the end open.
 *
 * @module
 */

import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("giving up a pipe", { without: "it is read to its end" });

/** How long a read may wait, in milliseconds, once the program that should write has ended. */
const MOMENT = 500;

/** The bytes that are read at once: few, until a program writes much; then as many as a pipe holds. */
const SIZE = { first: 4 * 1024, then: 64 * 1024 };

/** The reading end of a pipe from a program. */
export class Pipe {
  readonly #reader: ReadableStreamBYOBReader;
  #reads = 0;
  #waiting = false;
  #ended = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  /** Takes over a stream of bytes. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader({ mode: "byob" });
  }

  /** All that is written, chunk by chunk, each valid until the next one; leaving the loop early closes the pipe. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    try {
      for (let space = new Uint8Array(SIZE.first);;) {
        this.#reads++;
        this.#waiting = true;
        const { value, done } = await this.#reader.read(space);
        this.#waiting = false;
        if (done) return;
        yield value;
        const isFull = value.length === value.buffer.byteLength && value.length < SIZE.then;
        space = isFull ? new Uint8Array(SIZE.then) : new Uint8Array(value.buffer);
      }
    } finally {
      this.#ended = true;
      clearInterval(this.#watch);
      await this.#reader.cancel().catch(() => {});
    }
  }

  /**
   * Says that the program has ended. What it wrote is in the pipe already and is still read, however slowly, and so
   * is what those it started still pass on; a read that has to wait waits for a stranger, and is given up.
   */
  writersLeft(): void {
    if (this.#ended) return;
    let seen = -1;
    const look = () => {
      if (this.#waiting && this.#reads === seen) tasks.run(this.#reader.cancel());
      seen = this.#reads;
    };
    this.#watch = setInterval(tasks.guard(look), MOMENT);
  }
}
