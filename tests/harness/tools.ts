/**
 * Tests that need installed programs: if one is missing they are ignored, with the reason in the
 * name; in CI, where every program must be installed, they run and fail.
 *
 * @module
 */

const IN_CI = Deno.env.get("CI") === "true";

/** A test with real programs. `name` is a sentence; `needs` are the programs' names. */
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

/** Whether a program of this name is in PATH. */
export function isInstalled(tool: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${tool}`).isFile;
    } catch {
      return false;
    }
  });
}
