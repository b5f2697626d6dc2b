/**
 * Checks passwords against a file, which is read again when it changes.
 *
 * @module
 */
import { explain } from "../../../transport/errors.ts";
import { Refusal } from "../refusal.ts";
import type { Authenticator } from "../request.ts";
import { type PasswordFile, readPasswordFile } from "./password_file.ts";
import { PasswordThread } from "./password_thread.ts";

/** Options of {@linkcode Passwords}. */
export interface PasswordsOptions {
  /** The file. */
  readonly path: string;
  /** Called when the file can no longer be used, with the reason. */
  failed(reason: string): void;
}

/** How long a right password is remembered in milliseconds, and the most that are. */
const REMEMBERED = { time: 5 * 60_000, most: 1_000 };

/** The most characters of a user in a reason. */
const MAX_USER = 64;

const encoder = new TextEncoder();

/** The users of a file. Right passwords are remembered for some minutes, as keyed digests. */
export class Passwords implements Authenticator {
  readonly #options: PasswordsOptions;
  readonly #thread = new PasswordThread();
  /** When each digest is forgotten, on the clock of `performance.now()`; the oldest is first. */
  readonly #remembered = new Map<string, number>();
  readonly #key = crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  #file: PasswordFile | undefined;
  #fault: string | undefined;

  /** The users of this file. */
  constructor(options: PasswordsOptions) {
    this.#options = options;
  }

  /**
   * Checks a password. One for a user that is not there takes as long as a wrong one.
   * @throws {Refusal} why it is not accepted
   */
  async check(user: string, password: string): Promise<void> {
    const { hashes } = await this.#read();
    const hash = hashes.get(user) ?? hashes.values().next().value!;
    const digest = await this.#digestOf(JSON.stringify([hash, user, password]));
    if (this.#isRemembered(digest)) return;
    if (this.#thread.isBusy) throw new Refusal("busy", "too many passwords are being compared");
    const isRight = await this.#thread.compare(password, hash) && hashes.has(user);
    if (!isRight) {
      const who = JSON.stringify(user.slice(0, MAX_USER));
      throw new Refusal("password needed", `wrong user or password (user ${who})`);
    }
    this.#remember(digest);
  }

  /** Reads the file if it has changed. Without it, nobody is let in. */
  async #read(): Promise<PasswordFile> {
    const { path, failed } = this.#options;
    try {
      this.#file = await readPasswordFile(path, this.#file);
      this.#fault = undefined;
      return this.#file;
    } catch (cause) {
      const fault = `auth ${path}: ${explain(cause)}; no password is accepted`;
      if (fault !== this.#fault) failed(fault);
      this.#fault = fault;
      throw new Refusal("failed", "passwords cannot be checked at the moment", { cause });
    }
  }

  async #digestOf(text: string): Promise<string> {
    const digest = await crypto.subtle.sign("HMAC", await this.#key, encoder.encode(text));
    return new Uint8Array(digest).toString();
  }

  #isRemembered(digest: string): boolean {
    return (this.#remembered.get(digest) ?? -Infinity) > performance.now();
  }

  #remember(digest: string): void {
    this.#remembered.delete(digest);
    this.#remembered.set(digest, performance.now() + REMEMBERED.time);
    if (this.#remembered.size <= REMEMBERED.most) return;
    this.#remembered.delete(this.#remembered.keys().next().value!);
  }
}
