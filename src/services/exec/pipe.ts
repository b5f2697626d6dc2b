/**
 * Reads the output of a program to its end, even if other processes keep the pipe open.
 *
 * @module
 */

import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("closing a pipe", { consequence: "it is read until its end" });

/** How long a read may block after the program has exited, in milliseconds. */
const READ_TIMEOUT = 500;

/** The size of reads, in bytes: small until a program writes much, then the capacity of a pipe. */
const SIZE = { first: 4 * 1024, then: 64 * 1024 };

/** The reading end of a pipe from a program. */
export class Pipe {
  readonly #reader: ReadableStreamBYOBReader;
  #reads = 0;
  #waiting = false;
  #ended = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  /** Reads from this stream. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader({ mode: "byob" });
  }

  /** The chunks, each valid until the next is requested; leaving the loop early closes the pipe. */
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
   * Call this when the program has exited. What is in the pipe is still read, and so is what its descendants write; but
   * a read that blocks for {@linkcode READ_TIMEOUT} is cancelled.
   */
  programExited(): void {
    if (this.#ended) return;
    let seen = -1;
    const check = () => {
      if (this.#waiting && this.#reads === seen) tasks.run(this.#reader.cancel());
      seen = this.#reads;
    };
    this.#watch = setInterval(tasks.guard(check), READ_TIMEOUT);
  }
}
