/**
 * Compiled programs.
 *
 * @module
 */
import { BENCH, type BenchTools } from "./tools.ts";

/** Paths of the compiled programs. */
export interface Compiled {
  /** Prints one word. */
  readonly hello: string;
  /** The output of `deno task compile`. */
  readonly outlet: string;
}

/**
 * Compiles a hello program and outlet, with the Deno of `COMPILE_DENO` if this one has no runtime
 * to compile with. Returns a text if that is not possible.
 */
export async function compiled(workshop: BenchTools): Promise<Compiled | string> {
  const compiler = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
  const hello = workshop.path("hello");
  const args = ["compile", "--no-config", "-A", "--output", hello, `${BENCH}subjects/hello.ts`];
  const failed = await failure(Deno.execPath(), ["task", "bundle"]) ??
    await failure(compiler, ["task", "embed"]) ?? await failure(compiler, args);
  return failed ?? { hello, outlet: `${BENCH}../dist/outlet` };
}

/** The last line of a failed command's stderr. */
async function failure(program: string, args: readonly string[]): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: BENCH,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return undefined;
  return `${args.join(" ")}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`;
}
