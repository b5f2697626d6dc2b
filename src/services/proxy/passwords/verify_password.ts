/**
 * Compares a password with its hash. It takes up to seconds, so it is called in a worker.
 *
 * @module
 */
import { scryptSync, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import bcrypt from "bcryptjs";
import { parseHash } from "./password_hash.ts";

/** The bytes that scrypt may use beyond its table. */
const SPARE_MEMORY = 1024 * 1024;

/** Whether the password is the one of the hash; compared in constant time. */
export function verifyPassword(password: string, text: string): boolean {
  const hash = parseHash(text);
  if (hash.kind === "bcrypt") return bcrypt.compareSync(password, hash.text);
  const { salt, parameters: { ln, r, p } } = hash;
  const key = Buffer.from(hash.key, "base64");
  const found = scryptSync(password, Buffer.from(salt, "base64"), key.length, {
    N: 2 ** ln,
    r,
    p,
    maxmem: 128 * 2 ** ln * r + SPARE_MEMORY,
  });
  return timingSafeEqual(found, key);
}
