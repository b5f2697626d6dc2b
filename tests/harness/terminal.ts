/**
 * Programs on a pseudo-terminal.
 *
 * @module
 */
import { outlet, Program, ROOT } from "./program.ts";

/** Keys. */
export const KEY = { ctrlC: "\x03", ctrlD: "\x04", ctrlZ: "\x1a", enter: "\r" } as const;

/**
 * A program with a pseudo-terminal as its controlling terminal, which is closed when this is
 * disposed.
 */
export class Terminal implements AsyncDisposable {
  /** The program that has the other end of the terminal. */
  readonly program: Program;

  constructor(command: readonly string[]) {
    this.program = new Program(["python3", `${ROOT}tests/harness/on_pty.py`, ...command], {
      env: { TERM: "xterm", HISTFILE: "" },
    });
  }

  /** An interactive shell, with job control. */
  static shell(): Terminal {
    return new Terminal(["bash", "--norc", "--noprofile", "-i"]);
  }

  /** Types text or keys. */
  async type(text: string): Promise<void> {
    await this.program.type(text);
  }

  /** Resolves to the match once the terminal's output matches the pattern. */
  shows(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.program.prints(pattern);
  }

  /** Stops taking output. */
  stopReading(): void {
    this.program.signal("SIGUSR1");
  }

  /** Takes output again. */
  resumeReading(): void {
    this.program.signal("SIGUSR2");
  }

  /** The PID of its program. */
  async pid(): Promise<number> {
    const { pid } = this.program;
    return Number(await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`));
  }

  /** Closes the terminal, as when ssh disconnects. */
  hangUp(): void {
    this.program.signal("SIGKILL");
  }

  /** The exit code of its program, once that has ended. */
  async code(): Promise<number> {
    return (await this.program.outcome()).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

/** The command line of outlet, quoted for a shell. */
export function outletInShell(...args: string[]): string {
  return outlet(...args).map((word) => `'${word}'`).join(" ");
}
