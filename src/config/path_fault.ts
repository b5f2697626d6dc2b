/**
 * Checks that a path can be used as an option intends, without changing anything.
 *
 * @module
 */
import { dirname } from "@std/path/posix/dirname";
import type { PathUse } from "../options/kinds.ts";
import { codeOf, explain } from "../transport/errors.ts";

/** What is wrong with a path, in words; `undefined` if nothing. */
export async function pathFault(path: string, use: PathUse): Promise<string | undefined> {
  try {
    return await FAULTS[use](path);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? "no such file" : explain(error);
  }
}

const FAULTS: Readonly<Record<PathUse, (path: string) => Promise<string | undefined>>> = {
  read: readFault,
  append: async (path) => await stat(path) ? await appendFault(path) : await makeFault(path),
  "append-or-stdout": async (path) => path === "-" ? undefined : await FAULTS.append(path),
  "read-or-make": async (path) => await stat(path) ? await readFault(path) : await makeFault(path),
  "work-in": directoryFault,
  "write-in": async (path) => await directoryFault(path) ?? await writeInFault(path),
  make: async (path) => {
    const there = await nearestDirectory(path);
    return await directoryFault(there) ?? await writeInFault(there);
  },
  // exec looks programs up itself.
  run: () => Promise.resolve(undefined),
};

async function readFault(path: string): Promise<string | undefined> {
  const { isDirectory, isFile } = await Deno.stat(path);
  if (isDirectory) return "it is a directory, not a file";
  // Opening a FIFO would block until it has a writer.
  if (isFile) (await Deno.open(path)).close();
}

async function appendFault(path: string): Promise<string | undefined> {
  const { isDirectory, isFile } = await Deno.stat(path);
  if (isDirectory) return "it is a directory, not a file";
  if (isFile) (await Deno.open(path, { append: true })).close();
}

async function makeFault(path: string): Promise<string | undefined> {
  const directory = dirname(path);
  return await stat(directory)
    ? await FAULTS["write-in"](directory)
    : `no such directory: ${directory}`;
}

async function directoryFault(path: string): Promise<string | undefined> {
  const found = await stat(path);
  if (!found) return "no such directory";
  return found.isDirectory ? undefined : `${path} is not a directory`;
}

/** Creates and removes a file: only that takes permissions, quotas and mount options into account. */
async function writeInFault(directory: string): Promise<string | undefined> {
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: directory, prefix: ".outlet-check-" }));
  } catch (error) {
    return `cannot create a file in ${directory}: ${explain(error)}`;
  }
}

async function nearestDirectory(path: string): Promise<string> {
  let directory = path;
  while (!await stat(directory) && directory !== dirname(directory)) directory = dirname(directory);
  return directory;
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.stat(path).catch((error) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  });
}
