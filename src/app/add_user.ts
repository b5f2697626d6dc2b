/**
 * `outlet server --add-user`: writes a user and the hash of a password to a file for `auth`.
 *
 * @module
 */
import type { AddUserCommand } from "../cli/server_args.ts";
import { pathFault } from "../config/path_fault.ts";
import { UsageError } from "../options/usage_error.ts";
import { parsePasswords } from "../services/proxy/passwords/password_file.ts";
import { hashPassword } from "../services/proxy/passwords/hash_password.ts";
import { printable } from "../terminal/printable.ts";
import { askSecret } from "../terminal/secret_prompt.ts";
import { stdinChunks } from "../terminal/stdio.ts";
import { codeOf, explain } from "../transport/errors.ts";

/** The most bytes of a password: SOCKS 5 allows no more (RFC 1929). */
const MAX_PASSWORD = 255;

/** The permissions of a new file: it is a secret. */
const MODE = 0o600;

/**
 * Asks for the password, and adds the user or replaces its line. Returns what to print.
 *
 * @throws {UsageError} if the file or the password cannot be used
 */
export async function addUser({ user, file }: AddUserCommand): Promise<string> {
  const before = await linesOf(file);
  const password = await passwordFor(user);
  const kept = before.filter((line) => !line.trimStart().startsWith(`${user}:`));
  const lines = [...kept, `${user}:${await hashPassword(password)}`, ""];
  const { mode } = await Deno.stat(file).catch(() => ({ mode: null }));
  const temporary = `${file}.${crypto.randomUUID()}`;
  try {
    await Deno.writeTextFile(temporary, lines.join("\n"), { mode: mode ?? MODE, createNew: true });
    await Deno.rename(temporary, file);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw new UsageError(`password-file ${file}: ${explain(cause)}`, { cause });
  }
  return `${kept.length < before.length ? "changed" : "added"} user ${user} in ${file}\n`;
}

/** The lines of the file; none if it is new. */
async function linesOf(file: string): Promise<string[]> {
  const fault = await pathFault(file, "append");
  if (fault !== undefined) throw new UsageError(`password-file ${file}: ${fault}`);
  try {
    const text = await Deno.readTextFile(file);
    if (text.trim() !== "") parsePasswords(text);
    return text.split("\n").filter((line) => line !== "");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return [];
    throw new UsageError(`password-file ${file}: ${explain(cause)}`, { cause });
  }
}

/** The password: asked for twice at a terminal, or else the first line of stdin. */
async function passwordFor(user: string): Promise<string> {
  const asked = await askSecret(printable(`password for ${user}:`));
  const password = asked ?? await firstLine();
  if (password === "") throw new UsageError("no password was given: write it to stdin");
  if (new TextEncoder().encode(password).length > MAX_PASSWORD) {
    throw new UsageError(`the password has over ${MAX_PASSWORD} bytes, the most of SOCKS 5`);
  }
  if (asked !== undefined && await askSecret("the same again:") !== asked) {
    throw new UsageError("the passwords differ: nothing was written");
  }
  return password;
}

async function firstLine(): Promise<string> {
  if (Deno.stdin.isTerminal()) {
    throw new UsageError("the password is asked for where stdin and stdout are a terminal");
  }
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stdinChunks()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n") || text.length > 2 * MAX_PASSWORD) break;
  }
  return text.replace(/\r?\n.*$/s, "");
}
