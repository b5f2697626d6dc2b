/**
 * Makes hashes of passwords.
 *
 * @module
 */
import { randomBytes, scrypt } from "node:crypto";
import type { Buffer } from "node:buffer";
import type { ScryptParameters } from "./password_hash.ts";

/** A cost of some tens of milliseconds and 32 MiB. */
const COST: ScryptParameters = { ln: 15, r: 8, p: 1 };

/** The bytes of the salt, of the key, and that scrypt may use beyond its table. */
const LENGTH = { salt: 16, key: 32, spare: 1024 * 1024 };

/** The hash of a password with a salt of its own, as a PHC string of scrypt. */
export async function hashPassword(password: string): Promise<string> {
  const { ln, r, p } = COST;
  const salt = randomBytes(LENGTH.salt);
  const maxmem = 128 * 2 ** ln * r + LENGTH.spare;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(
    password,
    salt,
    LENGTH.key,
    { N: 2 ** ln, r, p, maxmem },
    (error, key) => error ? reject(error) : resolve(key),
  );
  const key = await promise;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`;
}

/** Base64 without padding, as in PHC strings. */
function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
