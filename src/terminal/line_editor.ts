/**
 * A terminal to talk at: a line can be edited and called up again while others come in above it.
 *
 * @module
 */
import process from "node:process";
import readline from "node:readline";

/** The terminal as a place to type lines and to see others come in. Disposing it gives the terminal back. */
export class LineEditor implements Disposable {
  readonly #readline: readline.Interface;
  /** What has come in since the last newline, such as `login: `; it stands as the prompt. */
  #begun = "";

  /**
   * Takes over stdin and stdout, which have to be a terminal. Ctrl-C calls `onInterrupt`: it does not
   * become a signal while a line is being edited.
   */
  constructor({ onInterrupt }: { onInterrupt(): void }) {
    this.#readline = readline.createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt: "",
      historySize: 500,
    });
    this.#readline.on("SIGINT", onInterrupt);
  }

  /** What is typed, line by line, without newlines, until Ctrl-D. */
  async *lines(): AsyncGenerator<{ text: string }> {
    for await (const text of this.#readline) {
      this.#begun = "";
      this.#readline.setPrompt("");
      yield { text };
    }
  }

  /** Shows text, as it is, above the line that is being typed. An unfinished last line becomes the prompt. */
  show(text: string): void {
    const shown = this.#begun + text;
    const end = shown.lastIndexOf("\n") + 1;
    this.#begun = shown.slice(end);
    readline.cursorTo(process.stdout, 0);
    readline.clearLine(process.stdout, 0);
    process.stdout.write(shown.slice(0, end));
    this.#readline.setPrompt(this.#begun);
    this.#readline.prompt(true);
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    this.#readline.close();
  }
}
