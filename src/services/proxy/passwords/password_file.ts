/**
 * Files of users and password hashes: a line `USER:HASH` each, as of htpasswd(1).
 *
 * @module
 */
import { explain } from "../../../transport/errors.ts";
import { parseHash } from "./password_hash.ts";

/** The most bytes of a file. */
const MAX_FILE = 1024 * 1024;

/** The hashes by user. */
export type PasswordHashes = ReadonlyMap<string, string>;

/** A file and its contents. */
export interface PasswordFile {
  /** Changes with the file. */
  readonly version: string;
  /** Its hashes. */
  readonly hashes: PasswordHashes;
}

/**
 * Reads a file, unless it is still that of `known`.
 * @throws {Error} why it cannot be used
 */
export async function readPasswordFile(
  path: string,
  known?: PasswordFile,
): Promise<PasswordFile> {
  const version = await versionOf(path);
  if (version === known?.version) return known;
  return { version, hashes: parsePasswords(await Deno.readTextFile(path)) };
}

async function versionOf(path: string): Promise<string> {
  const { isFile, size, mtime, ino } = await Deno.stat(path);
  if (!isFile) throw new Error("it is not a file");
  if (size > MAX_FILE) throw new Error(`it has over ${MAX_FILE} bytes`);
  return `${ino} ${size} ${Number(mtime)}`;
}

/**
 * The hashes of the lines; empty lines and those that start with `#` are skipped.
 * @throws {Error} which names the line at fault
 */
export function parsePasswords(text: string): PasswordHashes {
  const hashes = new Map<string, string>();
  for (const [at, line] of text.split("\n").entries()) {
    const word = line.trim();
    if (word === "" || word.startsWith("#")) continue;
    const [, user, hash] = /^([^:]+):(\S+)$/.exec(word) ?? [];
    if (user === undefined) throw new Error(`line ${at + 1}: expected USER:HASH`);
    if (hashes.has(user)) throw new Error(`line ${at + 1}: the user is in the file already`);
    try {
      parseHash(hash!);
    } catch (error) {
      throw new Error(`line ${at + 1}: ${explain(error)}`);
    }
    hashes.set(user, hash!);
  }
  if (hashes.size === 0) throw new Error("it has no users: add lines USER:HASH (htpasswd -B)");
  return hashes;
}
