/**
 * A terminal to talk at: a line can be edited and called up again while others come in above it.
 *
 * @module
 */
import { PassThrough, Writable } from "node:stream";
import readline from "node:readline";
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { BoundedWriter } from "./bounded_writer.ts";
import { isInForeground, stopJob } from "./job_control.ts";

/** What a line is typed with. */
export interface LineEditorOptions {
  /** The terminal's output. */
  readonly output: BoundedWriter;
  /** Whether the terminal takes what is written: its modes are left alone while it does not. */
  isStuck(): boolean;
  /** Does what Ctrl-C does: it does not become a signal while a line is being edited. */
  onInterrupt(): void;
}

/** How often a job in the background looks whether it is in the foreground, in milliseconds. */
const LOOK = 250;

/** An unfinished line that is longer is broken: it is drawn anew with everything that comes. */
const BEGUN_LIMIT = 2_000;

const tasks = new TaskScope("reading from the terminal", {
  without: "nothing that is typed is heard any more, all else goes on",
});

/**
 * The terminal as a place to type lines and to see others come in, as long as the process is in the foreground.
 * Disposing it gives the terminal back.
 */
export class LineEditor implements Disposable {
  readonly #options: LineEditorOptions;
  readonly #keys = new PassThrough();
  readonly #readline: readline.Interface;
  readonly #closed = new AbortController();
  readonly #giveBack = tasks.guard(() => this[Symbol.dispose]());
  /** Whether lines are edited now: the terminal is in raw mode. */
  #isActive = false;
  /** What has to be over before the next key is read. */
  #suspending: Promise<void> | undefined;
  /** What has come in since the last newline, such as `login: `; it stands as the prompt. */
  #begun = "";

  /** Takes over stdin, which has to be a terminal, and the terminal's output, while in the foreground. */
  constructor(options: LineEditorOptions) {
    this.#options = options;
    this.#readline = readline.createInterface({
      input: this.#keys,
      output: terminalStream(options.output),
      terminal: true,
      prompt: "",
      historySize: 500,
    });
    this.#readline.on("SIGINT", tasks.guard(options.onInterrupt));
    this.#readline.on("SIGTSTP", tasks.guard(() => this.#suspending = this.#suspend()));
    this.#readline.on("close", this.#giveBack);
    addEventListener("unload", this.#giveBack);
    tasks.run(this.#readKeys());
  }

  /** What is typed, line by line, without newlines, until Ctrl-D or until the terminal is gone. */
  async *lines(): AsyncGenerator<{ text: string }> {
    for await (const text of this.#readline) {
      this.#begun = "";
      this.#readline.setPrompt("");
      yield { text };
    }
  }

  /** Shows text, as it is, above the line that is being typed. An unfinished last line becomes the prompt. */
  show(text: string): void {
    const { output } = this.#options;
    if (!this.#isActive || this.#closed.signal.aborted) return output.write(text);
    let shown = this.#begun + text;
    if (shown.length - shown.lastIndexOf("\n") > BEGUN_LIMIT) shown += "\n";
    const end = shown.lastIndexOf("\n") + 1;
    this.#begun = shown.slice(end);
    output.write(`\r\x1b[K${shown.slice(0, end)}`);
    this.#prompt();
  }

  /** The same, and waits until the terminal has taken it. */
  async showAll(text: string): Promise<void> {
    this.show(text);
    await this.#options.output.taken();
  }

  /** Gives the terminal back, at once or when it has taken what was written before. */
  [Symbol.dispose](): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    removeEventListener("unload", this.#giveBack);
    this.#readline.close();
    this.#setRaw(false);
    if (this.#isActive) tasks.run(this.#options.output.taken().then(() => this.#setRaw(false)));
  }

  /** Hands on what is typed. Ctrl-Z comes as a key, too: nothing is being read while the job is stopped. */
  async #readKeys(): Promise<void> {
    const { signal } = this.#closed;
    const keys = new Uint8Array(4 * 1024);
    while (!signal.aborted) {
      if (!this.#isActive) {
        this.#setRaw(true);
        if (this.#isActive) this.#prompt();
        else await delay(LOOK, { signal }).catch(() => {});
        continue;
      }
      const length = await Deno.stdin.read(keys).catch(() => null);
      if (length === null) return this[Symbol.dispose]();
      // Not through the stream's queue: what a key does is done before the next is read.
      this.#keys.emit("data", keys.slice(0, length));
      await this.#suspending;
    }
  }

  /** Stops the job, if the terminal can be given back. */
  async #suspend(): Promise<void> {
    await this.#options.output.flush();
    this.#setRaw(false);
    if (!this.#isActive) stopJob();
  }

  /** Sets the terminal's mode, where that neither stops nor hangs us. */
  #setRaw(raw: boolean): void {
    if (raw === this.#isActive || !isInForeground() || this.#options.isStuck()) return;
    try {
      Deno.stdin.setRaw(raw);
      this.#isActive = raw;
    } catch {
      // The terminal is gone.
      this.#isActive = false;
    }
  }

  #prompt(): void {
    this.#readline.setPrompt(this.#begun);
    this.#readline.prompt(true);
  }
}

/** A terminal's output as Node's readline wants it. */
function terminalStream(output: BoundedWriter): Writable {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, taken) {
      output.write(String(text));
      taken();
    },
  });
  return Object.defineProperty(stream, "columns", { get: () => columns() });
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}
