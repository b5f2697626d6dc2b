/**
 * The programs that a comparison needs: which are here, and those of its own that have to be built.
 *
 * @module
 */

/** The directory of the bench. */
export const BENCH: string = new URL("./", import.meta.url).pathname;

/** Whether a program of this name is on the path. */
export function isInstalled(tool: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${tool}`).isFile;
    } catch {
      return false;
    }
  });
}

/** The sources in `native/`, each a program of its own. */
const NATIVE = ["echo", "round_trips", "stream", "connects", "hold", "chat", "reconnects"] as const;

/** A program of the bench's own. */
export type NativeTool = typeof NATIVE[number];

/** The bench's own programs, built. Disposing it removes them. */
export class Workshop implements Disposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Builds them.
   *
   * @throws {Error} where there is no C compiler: a load in Deno would measure itself
   */
  static async open(): Promise<Workshop> {
    if (!isInstalled("gcc")) {
      throw new Error(
        "the loads are small C programs, and need gcc: apt-get install gcc libc6-dev",
      );
    }
    const workshop = new Workshop(Deno.makeTempDirSync({ prefix: "outlet-bench-" }));
    await Promise.all(NATIVE.map(async (name) => {
      const { success, stderr } = await new Deno.Command("gcc", {
        args: ["-O2", "-Wall", "-o", workshop.path(name), `${BENCH}native/${name}.c`],
      }).output();
      if (!success) throw new Error(`gcc: ${new TextDecoder().decode(stderr)}`);
    }));
    return workshop;
  }

  /** Where a program of its own is, or a file that somebody wants to put beside them. */
  path(name: NativeTool | string): string {
    return `${this.#directory}/${name}`;
  }

  /** Removes them. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}
