/**
 * A program that serves a client: its pipes, and its end with all of its descendants.
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../../scheduling/task_scope.ts";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { Pipe } from "./pipe.ts";
import { spawn, type SpawnOptions, type Started } from "./spawn.ts";

/** What to run, and how. */
export interface ProgramOptions extends SpawnOptions {
  /** Milliseconds between asking it to end (`SIGTERM`) and ending it (`SIGKILL`). */
  readonly killAfter: number;
}

/** How a program ended: its exit code, or the name of the signal that ended it. */
export type Exit = number | Deno.Signal;

/**
 * Bytes that are written to it at a time: at first a page of a pipe, so that one that reads slowly is seen to read; then
 * a share of all that it has taken, up to a whole pipe.
 */
const SLICE = { first: 4 * 1024, share: 1 / 64, most: 64 * 1024 };

const tasks = new TaskScope("ending a program", { without: "it ends by itself" });

/** How often it is looked whether the group is gone, in milliseconds; the pause doubles. */
const LOOK = { first: 5, last: 100 };

/** How long what it started may go on once the program has ended, in milliseconds. */
const LAST_WORDS = 500;

/**
 * A running program, in a process group of its own, so that what it starts can be ended with it. Whoever makes
 * one calls {@linkcode end}. When outlet itself is ended at once, the group is killed.
 */
export class Program {
  /** Resolves when the program has ended; what it started may still run. */
  readonly exited: Promise<Exit>;
  /** What it writes to stdout. */
  readonly output: Pipe;
  /** What it writes to stderr. */
  readonly stderr: Pipe;

  /** Whether bytes wait for it to read them. */
  writing = false;
  /** Bytes that its pipe has taken so far. */
  bytesOut = 0;

  readonly #child: Started;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #killAfter: number;
  #hasExited = false;
  #isWriteClosed = false;
  #dropWrite: (() => void) | undefined;
  #lastWords: ReturnType<typeof setTimeout> | undefined;
  #ended: Promise<void> | undefined;

  /**
   * Starts the program.
   *
   * @throws {Error} `cannot run "bc": …` when it can't be started
   */
  constructor(options: ProgramOptions) {
    this.#child = spawn(options);
    this.#killAfter = options.killAfter;
    this.#input = this.#child.stdin.getWriter();
    handledElsewhere(this.#input.closed);
    this.output = new Pipe(this.#child.stdout);
    this.stderr = new Pipe(this.#child.stderr);
    this.exited = this.#child.status.then(({ code, signal }) => {
      this.#hasExited = true;
      // What it started may still be passing on its last words, but not for ever.
      this.#lastWords = setTimeout(tasks.guard(() => this.end()), LAST_WORDS);
      this.output.writersLeft();
      this.stderr.writersLeft();
      return signal ?? code;
    });
    globalThis.addEventListener("unload", this.#kill);
  }

  /** Gives it bytes to read, once it has read those before. What it will not read any more is dropped. */
  async write(bytes: Uint8Array): Promise<void> {
    this.writing = true;
    for (let start = 0; start < bytes.length && !this.#isWriteClosed;) {
      const size = Math.min(Math.max(this.bytesOut * SLICE.share, SLICE.first), SLICE.most);
      const slice = bytes.subarray(start, start + size);
      await this.#writeSlice(slice);
      this.bytesOut += slice.length;
      start += slice.length;
    }
    this.writing = false;
  }

  #writeSlice(slice: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#dropWrite = resolve;
      const written = this.#input.write(slice).catch(() => this.#isWriteClosed = true);
      tasks.run(written.finally(resolve));
    });
  }

  /** Ends what it can read. */
  async endInput(): Promise<void> {
    this.#isWriteClosed = true;
    await this.#input.close().catch(() => {});
  }

  /** Ends the program, if it still runs, and all that is left of what it started; resolves when they are gone. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    const latest = performance.now() + this.#killAfter;
    // A stopped process hears of a signal only when it goes on; the others don't mind.
    let isAlive = this.#signal("SIGTERM") && this.#signal("SIGCONT");
    for (let pause = LOOK.first; isAlive; pause = Math.min(pause * 2, LOOK.last)) {
      const left = latest - performance.now();
      if (left <= 0) break;
      await this.#look(Math.min(pause, left));
      isAlive = this.#signal("SIGCONT");
    }
    if (isAlive) this.#kill();
    await this.exited;
    // A stranger who inherited the pipe may leave it full for ever.
    await deadline(this.endInput(), LAST_WORDS).catch(() => {});
    this.#dropWrite?.();
    clearTimeout(this.#lastWords);
    globalThis.removeEventListener("unload", this.#kill);
  }

  /** Waits before it is looked again; where it is the program itself that still runs, at most until it has ended. */
  async #look(pause: number): Promise<void> {
    if (this.#hasExited) await delay(pause);
    else await deadline(this.exited, pause).catch(() => {});
  }

  readonly #kill = tasks.guard(() => this.#signal("SIGKILL"));

  /** Signals everyone in the group; `false` when nobody is left. */
  #signal(signal: Deno.Signal): boolean {
    const { pid } = this.#child;
    // A program that was just started may not have made its group yet.
    return send(-pid, signal) || (!this.#hasExited && send(pid, signal));
  }
}

function send(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
