/**
 * A status line at the bottom of a terminal, below other output.
 *
 * @module
 */
import type { BoundedWriter } from "./bounded_writer.ts";

const CLEAR = "\r\x1b[K";

/** A status line. Disposing it keeps the last status as a line of its own. */
export class StatusLine implements Disposable {
  readonly #terminal: BoundedWriter;
  #status = "";

  /** Uses this terminal. */
  constructor(terminal: BoundedWriter) {
    this.#terminal = terminal;
  }

  /** Replaces the status; skipped while the terminal has not written the last one. */
  show(status: string): void {
    this.#status = status;
    if (this.#terminal.isIdle) this.#terminal.write(CLEAR + status);
  }

  /** Writes a line above the status. */
  above(line: string): void {
    this.#terminal.write(`${this.#status ? CLEAR : ""}${line}\n${this.#status}`);
  }

  /** Ends the status line. */
  [Symbol.dispose](): void {
    if (this.#status) this.#terminal.write(`${CLEAR}${this.#status}\n`);
    this.#status = "";
  }
}
