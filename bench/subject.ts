/**
 * What is measured: a program that serves on a port.
 *
 * @module
 */
import { processorSeconds, residentBytes } from "./process.ts";
import { BENCH, isInstalled } from "./tools.ts";

/** How to start a server. */
export interface Recipe {
  /** What tables call it. */
  readonly name: string;
  /** What has to be installed. */
  readonly needs?: readonly string[];
  /** The words that start it on this port. */
  command(port: number): readonly string[];
}

/** How long a server may take to listen, in milliseconds. */
const PATIENCE = 20_000;

/** The words that run a file of this repository with Deno. */
export function deno(file: string, ...words: readonly (string | number)[]): string[] {
  return [Deno.execPath(), "run", "-A", `${BENCH}${file}`, ...words.map(String)];
}

/** The words that start an outlet server with metrics and its events in a file. */
export function outletServer(log: string, ...words: readonly (string | number)[]): string[] {
  return deno("../main.ts", "server", "--log-file", log, "--metrics", "127.0.0.1:0", ...words);
}

/** The words that give it a console, too, which nobody looks at. */
export const CONSOLE: readonly string[] = ["--console", "127.0.0.1:0"];

/** Parts the recipes into those that can be followed here, and the reasons why the others can't. */
export function available(recipes: readonly Recipe[]): { here: Recipe[]; missing: string[] } {
  const lacks = ({ needs = [] }: Recipe) => needs.filter((tool) => !isInstalled(tool));
  return {
    here: recipes.filter((recipe) => lacks(recipe).length === 0),
    missing: recipes.filter((recipe) => lacks(recipe).length > 0)
      .map((recipe) => `${recipe.name}: ${lacks(recipe).join(", ")} is not installed`),
  };
}

/** A server that runs. Disposing it ends it, and all that it has started. */
export class Subject implements AsyncDisposable {
  /** What tables call it. */
  readonly name: string;
  /** Where it listens. */
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(name: string, port: number, process: Deno.ChildProcess) {
    this.name = name;
    this.port = port;
    this.#process = process;
  }

  /** Starts it, and waits until it listens. */
  static async start({ name, command }: Recipe): Promise<Subject> {
    const port = freePort();
    const [program, ...args] = command(port);
    const process = new Deno.Command(program!, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    const subject = new Subject(name, port, process);
    try {
      await subject.#listens();
      return subject;
    } catch (error) {
      await subject[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Processor time so far, in seconds, with that of what it started. */
  get processorSeconds(): number {
    return processorSeconds(this.#process.pid);
  }

  /** Resident memory now, in bytes, with that of what it started. */
  get residentBytes(): number {
    return residentBytes(this.#process.pid);
  }

  /** Ends it: its whole process group. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.#process.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
  }

  /** Asks the kernel, for some peers serve one client and end. */
  async #listens(): Promise<void> {
    const needle = `:${this.port.toString(16).toUpperCase().padStart(4, "0")} `;
    for (const end = performance.now() + PATIENCE; performance.now() < end;) {
      const sockets = Deno.readTextFileSync("/proc/net/tcp").split("\n");
      if (sockets.some((line) => line.includes(needle) && line.includes(" 0A "))) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${this.name} does not listen on port ${this.port}`);
  }
}

/** A port that nobody listens on, below those that the kernel gives to clients. */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Somebody listens there; another one will be free.
    }
  }
}
