/**
 * Programs as they are on servers: compiled.
 *
 * @module
 */
import { BENCH, type Workshop } from "./tools.ts";

/** Where the compiled programs are. */
export interface Compiled {
  /** It says one word. */
  readonly hello: string;
  /** What `deno task compile` makes. */
  readonly outlet: string;
}

/**
 * Compiles a hello and outlet, with the Deno that `COMPILE_DENO` names where this one finds no runtime to compile
 * with; or tells why that cannot be done.
 */
export async function compiled(workshop: Workshop): Promise<Compiled | string> {
  const compiler = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
  const hello = workshop.path("hello");
  const words = ["compile", "--no-config", "-A", "--output", hello, `${BENCH}subjects/hello.ts`];
  const failed = await failure(Deno.execPath(), ["task", "bundle"]) ??
    await failure(compiler, ["task", "embed"]) ?? await failure(compiler, words);
  return failed ?? { hello, outlet: `${BENCH}../dist/outlet` };
}

/** What a command that failed complained of last. */
async function failure(program: string, args: readonly string[]): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: BENCH,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return undefined;
  return `${args.join(" ")}: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`;
}
