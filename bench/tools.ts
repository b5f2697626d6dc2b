/**
 * Programs for benchmarks: installed ones, and own ones that are built.
 *
 * @module
 */

/** The directory of the benchmarks. */
export const BENCH: string = new URL("./", import.meta.url).pathname;

/** Whether a program of this name is in PATH. */
export function isInstalled(tool: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${tool}`).isFile;
    } catch {
      return false;
    }
  });
}

/** The sources in `native/`, a program each. */
const NATIVE = [
  "echo",
  "round_trips",
  "stream",
  "connects",
  "hold",
  "chat",
  "reconnects",
  "datagrams",
] as const;

/** An own program. */
export type NativeTool = typeof NATIVE[number];

/** The own programs, built in a temporary directory that is removed on disposal. */
export class BenchTools implements Disposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Builds them.
   *
   * @throws {Error} without a C compiler: a load generator in Deno would limit the results
   */
  static async open(): Promise<BenchTools> {
    if (!isInstalled("gcc")) {
      throw new Error(
        "the loads are small C programs, and need gcc: apt-get install gcc libc6-dev",
      );
    }
    const workshop = new BenchTools(Deno.makeTempDirSync({ prefix: "outlet-bench-" }));
    await Promise.all(NATIVE.map(async (name) => {
      const { success, stderr } = await new Deno.Command("gcc", {
        args: ["-O2", "-Wall", "-o", workshop.path(name), `${BENCH}native/${name}.c`],
      }).output();
      if (!success) throw new Error(`gcc: ${new TextDecoder().decode(stderr)}`);
    }));
    return workshop;
  }

  /** The path of an own program, or of another file in their directory. */
  path(name: NativeTool | string): string {
    return `${this.#directory}/${name}`;
  }

  /** Removes them. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}
