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

/** Debian packages without a program, and a file of each. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "python3-aiosmtpd": "/usr/lib/python3/dist-packages/aiosmtpd/__init__.py",
  "python3-websockets": "/usr/lib/python3/dist-packages/websockets/__init__.py",
};

/** Whether a program of this name is in PATH, a library is installed, or for `root` we are it. */
export function isInstalled(tool: string): boolean {
  if (tool === "root") return Deno.uid() === 0;
  const library = LIBRARIES[tool];
  if (library !== undefined) return isFile(library);
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => isFile(`${folder}/${tool}`));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
