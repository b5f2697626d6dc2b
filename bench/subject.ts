/**
 * A measured program, which serves on a port.
 *
 * @module
 */
import { processorSeconds, residentBytes } from "./process.ts";
import { BENCH, isInstalled } from "./tools.ts";

/** How to start a server. */
export interface Recipe {
  /** Its name in tables. */
  readonly name: string;
  /** Programs that must be installed. */
  readonly needs?: readonly string[];
  /** Whether it serves on a UDP port. */
  readonly udp?: boolean;
  /** The command line that starts it on this port. */
  command(port: number): readonly string[];
}

/** Time limit for a server to listen, in milliseconds. */
const START_TIMEOUT = 20_000;

/** A command line that runs a file of this repository with Deno. */
export function deno(file: string, ...args: readonly (string | number)[]): string[] {
  return [Deno.execPath(), "run", "-A", `${BENCH}${file}`, ...args.map(String)];
}

/** The command line of an outlet server with metrics and its log in a file. */
export function outletServer(log: string, ...args: readonly (string | number)[]): string[] {
  return deno("../main.ts", "server", "--log-file", log, "--metrics", "127.0.0.1:0", ...args);
}

/** Arguments that enable a console. */
export const CONSOLE: readonly string[] = ["--console", "127.0.0.1:0"];

/** The servers that can be run here, and the reasons why others cannot. */
export function available(recipes: readonly Recipe[]): { here: Recipe[]; missing: string[] } {
  const lacks = ({ needs = [] }: Recipe) => needs.filter((tool) => !isInstalled(tool));
  return {
    here: recipes.filter((recipe) => lacks(recipe).length === 0),
    missing: recipes.filter((recipe) => lacks(recipe).length > 0)
      .map((recipe) => `${recipe.name}: ${lacks(recipe).join(", ")} is not installed`),
  };
}

/** A running server. When it is disposed, it and its descendants are ended. */
export class Subject implements AsyncDisposable {
  /** Its name in tables. */
  readonly name: string;
  /** Its port. */
  readonly port: number;
  readonly #process: Deno.ChildProcess;

  private constructor(name: string, port: number, process: Deno.ChildProcess) {
    this.name = name;
    this.port = port;
    this.#process = process;
  }

  /** Starts it, and waits until it listens. */
  static async start({ name, command, udp = false }: Recipe): Promise<Subject> {
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
      await subject.#listens(udp);
      return subject;
    } catch (error) {
      await subject[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Processor time in seconds, with that of its descendants. */
  get processorSeconds(): number {
    return processorSeconds(this.#process.pid);
  }

  /** Resident memory in bytes, with that of its descendants. */
  get residentBytes(): number {
    return residentBytes(this.#process.pid);
  }

  /** Ends its process group. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.#process.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
  }

  /** Asks the kernel instead of connecting, because some servers serve one client and end. */
  async #listens(udp: boolean): Promise<void> {
    const needle = `:${this.port.toString(16).toUpperCase().padStart(4, "0")} `;
    for (const end = performance.now() + START_TIMEOUT; performance.now() < end;) {
      const sockets = Deno.readTextFileSync(`/proc/net/${udp ? "udp" : "tcp"}`).split("\n");
      const state = udp ? " 07 " : " 0A ";
      if (sockets.some((line) => line.includes(needle) && line.includes(state))) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${this.name} does not listen on port ${this.port}`);
  }
}

/** A free port below the range of ephemeral ports. */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // It is in use; try another one.
    }
  }
}
