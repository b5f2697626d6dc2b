/**
 * The queue of changes to a server: one at a time, in order. It also holds the server's state.
 *
 * @module
 */

/**
 * The state of a server. Changes run while it is `ready`; they wait while it is `starting` or
 * `reloading`.
 */
export type ServerState = "starting" | "ready" | "reloading" | "draining" | "stopped";

/** The error message for a change after the stop began. */
const REFUSALS = {
  draining: "the server is stopping",
  stopped: "the server has stopped",
} as const;

/** Runs changes one after the other. The stop is the last one. */
export class ChangeQueue {
  #state: ServerState = "starting";
  #last: Promise<unknown> = Promise.resolve();
  #stop: Promise<unknown> | undefined;

  /** The current state. */
  get state(): ServerState {
    return this.#state;
  }

  /**
   * Runs a change after all earlier ones have succeeded or failed.
   *
   * @throws {Error} if the server is stopping or has stopped
   */
  run<T>(change: () => Promise<T>): Promise<T> {
    return this.between(async () => {
      if (this.#state === "ready") this.#state = "reloading";
      try {
        const result = await change();
        if (this.#state === "starting") this.#state = "ready";
        return result;
      } finally {
        if (this.#state === "reloading") this.#state = "ready";
      }
    });
  }

  /**
   * Runs something between two changes, without changing the state.
   *
   * @throws {Error} if the server is stopping or has stopped
   */
  async between<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stop) throw new Error(REFUSALS[this.#state === "stopped" ? "stopped" : "draining"]);
    return await this.#next(work);
  }

  /** Stops the server after all earlier changes. A second call returns the same promise. */
  stop<T>(stop: () => Promise<T>): Promise<T> {
    this.#stop ??= this.#next(async () => {
      this.#state = "draining";
      try {
        return await stop();
      } finally {
        this.#state = "stopped";
      }
    });
    return this.#stop as Promise<T>;
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
