/**
 * A line at the foot of a terminal that is written over again and again, while other lines go above it.
 *
 * @module
 */

const CLEAR = "\r\x1b[K";

/** The status line on stderr. Disposing it leaves the last status standing, on a line of its own. */
export class StatusLine implements Disposable {
  #status = "";
  readonly #encoder = new TextEncoder();

  /** Shows another status. */
  show(status: string): void {
    this.#status = status;
    this.#write(CLEAR + status);
  }

  /** Puts a line above the status. */
  above(line: string): void {
    this.#write(`${this.#status ? CLEAR : ""}${line}\n${this.#status}`);
  }

  /** Ends the line. */
  [Symbol.dispose](): void {
    if (this.#status) this.#write("\n");
    this.#status = "";
  }

  #write(text: string): void {
    Deno.stderr.writeSync(this.#encoder.encode(text));
  }
}
