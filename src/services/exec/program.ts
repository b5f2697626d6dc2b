/**
 * A program that serves a client: its pipes, and how it is ended with all its descendants.
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../../scheduling/task_scope.ts";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { Pipe } from "./pipe.ts";
import { spawn, type SpawnedProgram, type SpawnOptions } from "./spawn.ts";

/** How to run a program. */
export interface ProgramOptions extends SpawnOptions {
  /** The time between `SIGTERM` and `SIGKILL`, in milliseconds. */
  readonly killAfter: number;
}

/** How a program ended: its exit code, or the signal that ended it. */
export type Exit = number | Deno.Signal;

/**
 * The size of writes, in bytes: at first one page, so that slow reading counts as progress; then a share of all that was
 * written, up to the capacity of a pipe.
 */
const SLICE = { first: 4 * 1024, share: 1 / 64, most: 64 * 1024 };

const tasks = new TaskScope("ending a program", {
  consequence: "it continues until it ends by itself",
});

/** How often to check whether the process group has ended, in milliseconds; the interval doubles. */
const POLL = { first: 5, last: 100 };

/** How long descendants may continue after the program has exited, in milliseconds. */
const DESCENDANT_TIMEOUT = 500;

/**
 * A running program, in a process group of its own unless the options say otherwise. Its owner must call
 * {@linkcode end}, which also ends its descendants in that group. The group is killed when outlet exits.
 */
export class Program {
  /** Resolves when the program has exited; descendants may still run. */
  readonly exited: Promise<Exit>;
  /** Its stdout. */
  readonly output: Pipe;
  /** Its stderr. */
  readonly stderr: Pipe;

  /** Whether a write is pending. */
  writing = false;
  /** Bytes written to its stdin. */
  bytesOut = 0;

  readonly #child: SpawnedProgram;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #killAfter: number;
  #hasExited = false;
  #isWriteClosed = false;
  #resolveWrite: (() => void) | undefined;
  #descendantTimer: ReturnType<typeof setTimeout> | undefined;
  #ended: Promise<void> | undefined;

  /**
   * Starts the program.
   *
   * @throws {Error} `cannot run "bc": …` where it cannot be started
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
      // Descendants may still write the last output.
      this.#descendantTimer = setTimeout(tasks.guard(() => this.end()), DESCENDANT_TIMEOUT);
      this.output.programExited();
      this.stderr.programExited();
      return signal ?? code;
    });
    globalThis.addEventListener("unload", this.#kill);
  }

  /** A pipe does not tell what of it was read. */
  readonly unacknowledged: undefined = undefined;

  /** Writes to its stdin, one write at a time. Bytes are dropped once it has closed its stdin. */
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
      this.#resolveWrite = resolve;
      const written = this.#input.write(slice).catch(() => this.#isWriteClosed = true);
      tasks.run(written.finally(resolve));
    });
  }

  /** Closes its stdin. */
  async endInput(): Promise<void> {
    this.#isWriteClosed = true;
    await this.#input.close().catch(() => {});
  }

  /** Ends the program and its descendants: `SIGTERM`, then `SIGKILL`. Resolves when they have ended. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    const deadlineAt = performance.now() + this.#killAfter;
    // A stopped process handles SIGTERM only after SIGCONT.
    let isAlive = this.#signal("SIGTERM") && this.#signal("SIGCONT");
    for (let pause = POLL.first; isAlive; pause = Math.min(pause * 2, POLL.last)) {
      const left = deadlineAt - performance.now();
      if (left <= 0) break;
      await this.#pause(Math.min(pause, left));
      isAlive = this.#signal("SIGCONT");
    }
    if (isAlive) this.#kill();
    await this.exited;
    // A process outside of the group may have inherited the pipe and leave it full.
    await deadline(this.endInput(), DESCENDANT_TIMEOUT).catch(() => {});
    this.#resolveWrite?.();
    clearTimeout(this.#descendantTimer);
    globalThis.removeEventListener("unload", this.#kill);
  }

  /** Waits before the next check; while the program itself runs, at most until it exits. */
  async #pause(pause: number): Promise<void> {
    if (this.#hasExited) await delay(pause);
    else await deadline(this.exited, pause).catch(() => {});
  }

  readonly #kill = tasks.guard(() => this.#signal("SIGKILL"));

  /** Sends a signal to the process group; `false` where it has no members. */
  #signal(signal: Deno.Signal): boolean {
    const { pid } = this.#child;
    // A program that was just started may not lead its group yet.
    return sendSignal(-pid, signal) || (!this.#hasExited && sendSignal(pid, signal));
  }
}

function sendSignal(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
