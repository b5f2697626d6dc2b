/**
 * Why a server should be stopped.
 *
 * @module
 */
import type { OnceEnd } from "./handle.ts";

/** The reasons for which a server stops by itself. */
export class ServerEnd {
  readonly #failed = new AbortController();
  readonly #done = new AbortController();

  /** Aborted with the error when the server cannot continue. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Aborted with an {@linkcode OnceEnd} when the client of an outlet with `once` has been served. */
  get done(): AbortSignal {
    return this.#done.signal;
  }

  /** Reports that the server cannot continue. */
  fail(error: Error): void {
    this.#failed.abort(error);
  }

  /** Reports how the only client ended. */
  served(end: OnceEnd): void {
    this.#done.abort(end);
  }
}
