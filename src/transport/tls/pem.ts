/**
 * Reads PEM files.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import { explain } from "../errors.ts";

/**
 * Reads a PEM file. Errors name it by `option` and never show its content.
 * @throws {UsageError} why it cannot be read
 */
export async function readPem(path: string, option: string): Promise<string>;
/** The same; `undefined` without a path. */
export async function readPem(
  path: string | undefined,
  option: string,
): Promise<string | undefined>;
export async function readPem(
  path: string | undefined,
  option: string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await Deno.readTextFile(path).catch((cause) => {
    const isMissing = cause instanceof Deno.errors.NotFound;
    const reason = isMissing ? "no such file" : `cannot read it: ${explain(cause)}`;
    throw new UsageError(`${option} ${path}: ${reason}`, { cause });
  });
  if (text.includes("-----BEGIN ")) return text;
  throw new UsageError(`${option} ${path}: no PEM block in it (-----BEGIN …)`);
}
