/**
 * Programs by name, as a shell finds them.
 *
 * @module
 */

/** Where programs were found, as a shell remembers it: to look into all folders takes as long as half a start. */
const found = new Map<string, string>();

/** The file behind a program's name: the name itself where it has a slash, else the first in the search path. */
export function findProgram(name: string, searchPath: string): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  const sought = `${name} in ${searchPath}`;
  const before = found.get(sought);
  if (before !== undefined && isExecutable(before)) return before;
  const file = searchPath.split(":").map((folder) => `${folder || "."}/${name}`).find(isExecutable);
  if (file !== undefined) found.set(sought, file);
  return file;
}

/** Whether there is a folder at this path. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch {
    return false;
  }
}
