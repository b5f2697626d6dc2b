/**
 * A line editor for a terminal on which other output appears above the line being typed.
 *
 * @module
 */
import { PassThrough, Writable } from "node:stream";
import readline from "node:readline";
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { BoundedWriter } from "./bounded_writer.ts";
import { isInForeground, stopJob } from "./job_control.ts";

/** The terminal of a line editor. */
export interface LineEditorOptions {
  /** The terminal's output. */
  readonly output: BoundedWriter;
  /** Whether the terminal does not accept output; its modes are then left unchanged. */
  isStuck(): boolean;
  /** Called for Ctrl-C, which sends no signal in raw mode. */
  onInterrupt(): void;
}

/** How often a background job checks whether it is in the foreground, in milliseconds. */
const POLL_INTERVAL = 250;

/** A longer unfinished line is broken, because it is redrawn with all further output. */
const MAX_PARTIAL_LINE = 2_000;

const tasks = new TaskScope("reading from the terminal", {
  consequence: "what is typed is ignored, everything else continues",
});

/**
 * Edits lines while the process is in the foreground. Disposing it restores the terminal's mode.
 */
export class LineEditor implements Disposable {
  readonly #options: LineEditorOptions;
  readonly #keys = new PassThrough();
  readonly #readline: readline.Interface;
  readonly #closed = new AbortController();
  readonly #restore = tasks.guard(() => this[Symbol.dispose]());
  /** Whether the terminal is in raw mode. */
  #isActive = false;
  /** Awaited before the next key is read. */
  #suspending: Promise<void> | undefined;
  /** The output after the last newline, such as `login: `, which becomes the prompt. */
  #partialLine = "";

  /** Reads from stdin, which must be a terminal. */
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
    this.#readline.on("close", this.#restore);
    addEventListener("unload", this.#restore);
    tasks.run(this.#readKeys());
  }

  /** The typed lines, without newlines, until Ctrl-D or until the terminal is closed. */
  async *lines(): AsyncGenerator<{ text: string }> {
    for await (const text of this.#readline) {
      this.#partialLine = "";
      this.#readline.setPrompt("");
      yield { text };
    }
  }

  /** Writes text, unescaped, above the line being typed. Text after the last newline becomes the prompt. */
  show(text: string): void {
    const { output } = this.#options;
    if (!this.#isActive || this.#closed.signal.aborted) return output.write(text);
    let shown = this.#partialLine + text;
    if (shown.length - shown.lastIndexOf("\n") > MAX_PARTIAL_LINE) shown += "\n";
    const end = shown.lastIndexOf("\n") + 1;
    this.#partialLine = shown.slice(end);
    output.write(`\r\x1b[K${shown.slice(0, end)}`);
    this.#prompt();
  }

  /** Writes text as {@linkcode show} does, and waits until it is written. */
  async showAll(text: string): Promise<void> {
    this.show(text);
    await this.#options.output.drained();
  }

  /** Restores the terminal's mode, now or when pending output is written. */
  [Symbol.dispose](): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    removeEventListener("unload", this.#restore);
    this.#readline.close();
    this.#setRaw(false);
    if (this.#isActive) tasks.run(this.#options.output.drained().then(() => this.#setRaw(false)));
  }

  /** Passes keys to readline. Ctrl-Z is a key in raw mode; nothing is read while the job is stopped. */
  async #readKeys(): Promise<void> {
    const { signal } = this.#closed;
    const keys = new Uint8Array(4 * 1024);
    while (!signal.aborted) {
      if (!this.#isActive) {
        this.#setRaw(true);
        if (this.#isActive) this.#prompt();
        else await delay(POLL_INTERVAL, { signal }).catch(() => {});
        continue;
      }
      const length = await Deno.stdin.read(keys).catch(() => null);
      if (length === null) return this[Symbol.dispose]();
      // Bypasses the stream's queue, so that a key is handled before the next is read.
      this.#keys.emit("data", keys.slice(0, length));
      await this.#suspending;
    }
  }

  /** Stops the job, if the terminal's mode can be restored. */
  async #suspend(): Promise<void> {
    await this.#options.output.flush();
    this.#setRaw(false);
    if (!this.#isActive) stopJob();
  }

  /** Sets the terminal's mode, unless that would stop or block the process. */
  #setRaw(raw: boolean): void {
    if (raw === this.#isActive || !isInForeground() || this.#options.isStuck()) return;
    try {
      Deno.stdin.setRaw(raw);
      this.#isActive = raw;
    } catch {
      // The terminal is closed.
      this.#isActive = false;
    }
  }

  #prompt(): void {
    this.#readline.setPrompt(this.#partialLine);
    this.#readline.prompt(true);
  }
}

/** The terminal's output as a Node stream, for readline. */
function terminalStream(output: BoundedWriter): Writable {
  const stream = new Writable({
    decodeStrings: false,
    write(text, _encoding, callback) {
      output.write(String(text));
      callback();
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
