/**
 * Programs on a pseudo-terminal, as a person has them: typed to, looked at, stuck, or gone.
 *
 * @module
 */
import { outlet, Program, ROOT } from "./program.ts";

/** What a person types. */
export const KEY = { ctrlC: "\x03", ctrlD: "\x04", ctrlZ: "\x1a", enter: "\r" } as const;

/** A program whose controlling terminal is this one. When it is disposed, the terminal goes away. */
export class Terminal implements AsyncDisposable {
  readonly #program: Program;

  constructor(command: readonly string[]) {
    this.#program = new Program(["python3", `${ROOT}tests/harness/on_pty.py`, ...command], {
      env: { TERM: "xterm", HISTFILE: "" },
    });
  }

  /** An interactive shell, with job control. */
  static shell(): Terminal {
    return new Terminal(["bash", "--norc", "--noprofile", "-i"]);
  }

  /** Types words, or keys. */
  async type(text: string): Promise<void> {
    await this.#program.type(text);
  }

  /** Resolves to the match once the terminal shows the pattern. */
  shows(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#program.prints(pattern);
  }

  /** From now on it takes nothing that is written. */
  stick(): void {
    this.#program.signal("SIGUSR1");
  }

  /** It takes what is written again. */
  unstick(): void {
    this.#program.signal("SIGUSR2");
  }

  /** The process that runs on it. */
  async pid(): Promise<number> {
    const { pid } = this.#program;
    return Number(await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`));
  }

  /** Goes away, as when ssh drops. */
  goAway(): void {
    this.#program.signal("SIGKILL");
  }

  /** The exit code of what ran on it, once that has ended. */
  async code(): Promise<number> {
    return (await this.#program.outcome()).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** The words that run outlet, as a shell reads them. */
export function outletInShell(...words: string[]): string {
  return outlet(...words).map((word) => `'${word}'`).join(" ");
}
