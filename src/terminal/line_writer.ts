/**
 * Lines to a stream that may be slow, without ever waiting for it.
 *
 * @module
 */

/** Where lines go: what `Deno.stderr` offers of a stream. */
export interface LineSink {
  /** Takes some of the bytes, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Bytes that may wait for the stream before lines are dropped. */
const LIMIT = 1024 * 1024;

const encoder = new TextEncoder();

/** Writes lines in order. When the stream cannot follow, lines are dropped, counted, and said. */
export class LineWriter {
  readonly #sink: LineSink;
  #waiting: string[] = [];
  #length = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /** Lines to this stream. */
  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Puts a line, without its newline, in the queue. */
  write(line: string): void {
    if (this.#length > LIMIT) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line, "\n");
    this.#length += line.length + 1;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when every line has been taken. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Lines of the same moment go out in one write.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0) {
        if (this.#dropped > 0) this.#waiting.push(`… ${this.#dropped} lines dropped\n`);
        this.#dropped = 0;
        const bytes = encoder.encode(this.#waiting.join(""));
        this.#waiting = [];
        this.#length = 0;
        for (let sent = 0; sent < bytes.length;) {
          sent += await this.#sink.write(bytes.subarray(sent));
        }
      }
    } catch {
      // Whoever read the lines has gone; the program goes on without.
      this.#waiting = [];
      this.#length = 0;
    } finally {
      this.#writing = undefined;
    }
  }
}
