/**
 * What a program writes, read to its end, also where somebody else keeps the end open.
 *
 * @module
 */

/** How long a read may wait, in milliseconds, once the program that should write has ended. */
const MOMENT = 500;

/** The reading end of a pipe from a program. */
export class Pipe {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #reads = 0;
  #waiting = false;
  #ended = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  /** Takes over the stream. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
  }

  /** All that is written, chunk by chunk; leaving the loop early closes the pipe. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    try {
      for (;;) {
        this.#reads++;
        this.#waiting = true;
        const { value } = await this.#reader.read();
        this.#waiting = false;
        if (value === undefined) return;
        yield value;
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
    this.#watch = setInterval(() => {
      if (this.#waiting && this.#reads === seen) this.#reader.cancel().catch(() => {});
      seen = this.#reads;
    }, MOMENT);
  }
}
