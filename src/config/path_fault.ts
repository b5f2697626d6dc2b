/**
 * Whether a path that an option names can be used as it is going to be. Nothing that is there is changed, and
 * nothing is left behind.
 *
 * @module
 */
import type { PathUse } from "../options/kinds.ts";
import { codeOf, explain } from "../transport/errors.ts";

/** What is wrong with a path, in words; `undefined` where nothing is. */
export async function pathFault(path: string, use: PathUse): Promise<string | undefined> {
  try {
    return await FAULTS[use](path);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? "there is no such file" : explain(error);
  }
}

const FAULTS: Readonly<Record<PathUse, (path: string) => Promise<string | undefined>>> = {
  read: readFault,
  append: async (path) => await stat(path) ? await appendFault(path) : await makeFault(path),
  "read-or-make": async (path) => await stat(path) ? await readFault(path) : await makeFault(path),
  "work-in": folderFault,
  "write-in": async (path) => await folderFault(path) ?? await writeInFault(path),
  make: async (path) => {
    const there = await nearestFolder(path);
    return await folderFault(there) ?? await writeInFault(there);
  },
  // Where a program is looked for is known to who runs it.
  run: () => Promise.resolve(undefined),
};

async function readFault(path: string): Promise<string | undefined> {
  const { isDirectory, isFile } = await Deno.stat(path);
  if (isDirectory) return "it is a folder, and no file";
  // To open a pipe would wait for who writes to it.
  if (isFile) (await Deno.open(path)).close();
}

async function appendFault(path: string): Promise<string | undefined> {
  const { isDirectory, isFile } = await Deno.stat(path);
  if (isDirectory) return "it is a folder, and no file";
  if (isFile) (await Deno.open(path, { append: true })).close();
}

async function makeFault(path: string): Promise<string | undefined> {
  const folder = folderOf(path);
  return await stat(folder) ? await FAULTS["write-in"](folder) : `there is no folder ${folder}`;
}

async function folderFault(path: string): Promise<string | undefined> {
  const found = await stat(path);
  if (!found) return "there is no such folder";
  return found.isDirectory ? undefined : `${path} is no folder`;
}

/** Only a file that is made tells for sure whether one can be: permissions, quotas and mounts all have a say. */
async function writeInFault(folder: string): Promise<string | undefined> {
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: folder, prefix: ".outlet-check-" }));
  } catch (error) {
    return `no file can be made in ${folder}: ${explain(error)}`;
  }
}

async function nearestFolder(path: string): Promise<string> {
  let folder = path;
  while (!await stat(folder) && folder !== folderOf(folder)) folder = folderOf(folder);
  return folder;
}

/** The folder that it is in. */
export function folderOf(path: string): string {
  const [, folder] = /^(.*[^/])?\/+[^/]*\/*$/.exec(path) ?? [];
  return folder ?? (path.startsWith("/") ? "/" : ".");
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.stat(path).catch((error) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  });
}
