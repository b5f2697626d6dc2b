/**
 * Tests that need a program of the system's: where it is missing they are ignored and say so; in CI,
 * where everything has to be there, they run and fail.
 *
 * @module
 */

const IN_CI = Deno.env.get("CI") === "true";

/** A test that drives real programs. Its name is a sentence; `needs` are the programs' names. */
export function testWith(
  needs: readonly string[],
  name: string,
  run: (t: Deno.TestContext) => Promise<void>,
): void {
  const missing = needs.filter((tool) => !isInstalled(tool));
  const ignore = missing.length > 0 && !IN_CI;
  Deno.test({
    name: ignore ? `${name} (ignored: needs ${missing.join(", ")})` : name,
    ignore,
    fn: run,
  });
}

/** Whether a program of this name is on the path. */
export function isInstalled(tool: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${tool}`).isFile;
    } catch {
      return false;
    }
  });
}
