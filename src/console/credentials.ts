/**
 * Who may use the console: whoever knows its token. The page trades it for a cookie; programs send it along.
 *
 * @module
 */
import { explain } from "../transport/errors.ts";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { encodeHex } from "@std/encoding/hex";

/** The least that a token has to be long, in characters. */
const SHORTEST = 16;

/** Knows the token, and the cookie that stands for it. */
export class Credentials {
  readonly #token: string;
  readonly #session: string;
  readonly #cookie: string;
  readonly #secure: boolean;

  /** For a console at this port: cookies do not tell ports apart, so the port is in the cookie's name. */
  constructor(token: string, { port, secure }: { port: number; secure: boolean }) {
    this.#token = token;
    this.#session = encodeHex(digest(`outlet console session ${token}`));
    this.#cookie = `outlet-console-${port}`;
    this.#secure = secure;
  }

  /** Whether this is the token. It takes the same time for every wrong one. */
  isToken(word: string): boolean {
    return isSame(word, this.#token);
  }

  /** Whether the request comes with the token (`Authorization: Bearer`) or with the cookie. */
  admits({ headers }: Request): boolean {
    const [, bearer] = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    if (bearer !== undefined) return this.isToken(bearer);
    const session = (headers.get("cookie") ?? "").split(/;\s*/)
      .find((pair) => pair.startsWith(`${this.#cookie}=`))?.slice(this.#cookie.length + 1);
    return session !== undefined && isSame(session, this.#session);
  }

  /** The `Set-Cookie` header of who has shown the token. No script can read it, no other site send it. */
  get signIn(): string {
    return `${this.#cookie}=${this.#session}; ${this.#attributes}`;
  }

  /** The `Set-Cookie` header that takes the cookie back. */
  get signOut(): string {
    return `${this.#cookie}=; Max-Age=0; ${this.#attributes}`;
  }

  get #attributes(): string {
    return `Path=/; HttpOnly; SameSite=Strict${this.#secure ? "; Secure" : ""}`;
  }
}

/** A token that nobody guesses: 256 random bits. */
export function freshToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * Reads the token from a file; creates the file, with mode 0600, if it does not exist.
 *
 * @throws {Error} which says what is wrong with the file
 */
export async function tokenFrom(path: string): Promise<string> {
  try {
    const token = (await Deno.readTextFile(path)).trim();
    if (token.length >= SHORTEST && /^[\x21-\x7e]+$/.test(token)) return token;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(`cannot read the token in ${path}: ${explain(error)}`);
    }
    const token = freshToken();
    await Deno.writeTextFile(path, `${token}\n`, { createNew: true, mode: 0o600 });
    return token;
  }
  throw new Error(
    `the token in ${path} is none: expected ${SHORTEST} or more visible characters on one line`,
  );
}

/** Digests are of one length, which makes the comparison take the same time for any two words. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
