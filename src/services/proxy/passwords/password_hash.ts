/**
 * Hashes of passwords as text: bcrypt, as htpasswd(1) writes it, and scrypt (RFC 7914) in the PHC
 * string format.
 *
 * @module
 */

/** The parameters of scrypt: the logarithm of the cost, the block size, and the parallelism. */
export interface ScryptParameters {
  /** The logarithm of the cost. */
  readonly ln: number;
  /** The block size. */
  readonly r: number;
  /** The parallelism. */
  readonly p: number;
}

/** A hash with its parameters. */
export type PasswordHash =
  | { readonly kind: "bcrypt"; readonly text: string }
  | {
    readonly kind: "scrypt";
    readonly parameters: ScryptParameters;
    readonly salt: string;
    readonly key: string;
  };

/** Costs that take no more than some seconds and 64 MiB. */
const MAX = { bcrypt: 14, ln: 16, r: 8, p: 4 };

/** What can be read, for errors. */
export const KNOWN_HASHES = "bcrypt (htpasswd -B) or scrypt";

/**
 * Parses a hash.
 * @throws {Error} what is wrong with it
 */
export function parseHash(text: string): PasswordHash {
  const [, cost] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text) ?? [];
  if (cost !== undefined) {
    if (Number(cost) > MAX.bcrypt || Number(cost) < 4) {
      throw new Error(`a bcrypt cost of ${Number(cost)}: expected 4 to ${MAX.bcrypt}`);
    }
    return { kind: "bcrypt", text };
  }
  const [, ln, r, p, salt = "", key = ""] =
    /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text) ?? [];
  if (ln === undefined) throw new Error(`unknown kind of hash: expected ${KNOWN_HASHES}`);
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (Object.entries(parameters).some(([name, value]) => !isWithin(name as "ln", value))) {
    throw new Error(`a scrypt cost that is too high: at most ln=${MAX.ln},r=${MAX.r},p=${MAX.p}`);
  }
  return { kind: "scrypt", parameters, salt, key };
}

function isWithin(name: keyof ScryptParameters, value: number): boolean {
  return value >= 1 && value <= MAX[name];
}
