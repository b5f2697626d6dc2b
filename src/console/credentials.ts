/**
 * Authentication: by the token (`Authorization: Bearer`), or by a cookie that the page gets for it.
 *
 * @module
 */
import { explain } from "../transport/errors.ts";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { encodeHex } from "@std/encoding/hex";

/** The minimum length of a token in characters. */
const MIN_LENGTH = 16;

/** Checks the token and the cookie. */
export class Credentials {
  readonly #token: string;
  readonly #session: string;
  readonly #cookie: string;
  readonly #secure: boolean;

  /**
   * Takes the console's port: cookies are not separated by port, so the port is part of the
   * cookie's name.
   */
  constructor(token: string, { port, secure }: { port: number; secure: boolean }) {
    this.#token = token;
    this.#session = encodeHex(digest(`outlet console session ${token}`));
    this.#cookie = `outlet-console-${port}`;
    this.#secure = secure;
  }

  /** Whether this is the token, compared in constant time. */
  isToken(word: string): boolean {
    return isSame(word, this.#token);
  }

  /** Whether the request has the token (`Authorization: Bearer`) or the cookie. */
  admits({ headers }: Request): boolean {
    const [, bearer] = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    if (bearer !== undefined) return this.isToken(bearer);
    const session = (headers.get("cookie") ?? "").split(/;\s*/)
      .find((pair) => pair.startsWith(`${this.#cookie}=`))?.slice(this.#cookie.length + 1);
    return session !== undefined && isSame(session, this.#session);
  }

  /** The `Set-Cookie` header after signing in: `HttpOnly`, `SameSite=Strict`. */
  get signIn(): string {
    return `${this.#cookie}=${this.#session}; ${this.#attributes}`;
  }

  /** The `Set-Cookie` header that deletes the cookie. */
  get signOut(): string {
    return `${this.#cookie}=; Max-Age=0; ${this.#attributes}`;
  }

  get #attributes(): string {
    return `Path=/; HttpOnly; SameSite=Strict${this.#secure ? "; Secure" : ""}`;
  }
}

/** A new token of 256 random bits. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Reads the token from a file. If the file does not exist, it is created with a new token, readable
 * by its owner only.
 * @throws {Error} what is wrong with the file
 */
export async function tokenFrom(path: string): Promise<string> {
  try {
    const token = (await Deno.readTextFile(path)).trim();
    if (token.length >= MIN_LENGTH && /^[\x21-\x7e]+$/.test(token)) return token;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(`cannot read the token in ${path}: ${explain(error)}`);
    }
    const token = newToken();
    await Deno.writeTextFile(path, `${token}\n`, { createNew: true, mode: 0o600 });
    return token;
  }
  throw new Error(
    `the token in ${path} is invalid: expected ${MIN_LENGTH} or more visible characters on one line`,
  );
}

/** Compares digests, which have the same length, so the comparison takes constant time. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
