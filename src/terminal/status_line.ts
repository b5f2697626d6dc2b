/**
 * A line at the foot of a terminal that is written over again and again, while other lines go above it.
 *
 * @module
 */
import type { BoundedWriter } from "./bounded_writer.ts";

const CLEAR = "\r\x1b[K";

/** The status line of a terminal. Disposing it leaves the last status standing, on a line of its own. */
export class StatusLine implements Disposable {
  readonly #terminal: BoundedWriter;
  #status = "";

  /** At the foot of this terminal. */
  constructor(terminal: BoundedWriter) {
    this.#terminal = terminal;
  }

  /** Shows another status; a terminal that has not taken the last one yet is left alone. */
  show(status: string): void {
    this.#status = status;
    if (this.#terminal.isIdle) this.#terminal.write(CLEAR + status);
  }

  /** Puts a line above the status. */
  above(line: string): void {
    this.#terminal.write(`${this.#status ? CLEAR : ""}${line}\n${this.#status}`);
  }

  /** Ends the line. */
  [Symbol.dispose](): void {
    if (this.#status) this.#terminal.write(`${CLEAR}${this.#status}\n`);
    this.#status = "";
  }
}
