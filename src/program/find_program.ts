/**
 * Programs by name, as a shell finds them.
 *
 * @module
 */

/** The file behind a program's name: the name itself where it has a slash, else the first in the search path. */
export function findProgram(name: string, searchPath: string): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  return searchPath.split(":").map((folder) => `${folder || "."}/${name}`).find(isExecutable);
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
