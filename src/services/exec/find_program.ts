/**
 * Finds programs in a search path, as a shell does.
 *
 * @module
 */

/** Results of earlier searches, as a shell's hash table: searching takes as long as half of a spawn. */
const found = new Map<string, string>();

/** The path of a program: the name itself if it contains a slash, else the first match in the search path. */
export function findProgram(name: string, searchPath: string): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  const key = `${name} in ${searchPath}`;
  const cached = found.get(key);
  if (cached !== undefined && isExecutable(cached)) return cached;
  const file = searchPath.split(":").map((directory) => `${directory || "."}/${name}`).find(
    isExecutable,
  );
  if (file !== undefined) found.set(key, file);
  return file;
}

/** Whether the path is a directory. */
export function isDirectory(path: string): boolean {
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
