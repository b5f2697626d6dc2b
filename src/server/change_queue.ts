/**
 * Changes of a server, one at a time and in order, and what state it is in meanwhile.
 *
 * @module
 */

/** What a server is doing: it takes changes while it is ready, and lets them wait while it starts or reloads. */
export type ServerState = "starting" | "ready" | "reloading" | "draining" | "stopped";

/** Why a server takes no more changes. */
const REFUSALS = {
  draining: "the server is stopping: nothing about it can be changed any more",
  stopped: "the server has stopped",
} as const;

/** Makes changes wait for each other, until the last one: the stop. */
export class ChangeQueue {
  #state: ServerState = "starting";
  #last: Promise<unknown> = Promise.resolve();
  #stop: Promise<unknown> | undefined;

  /** What the server is doing. */
  get state(): ServerState {
    return this.#state;
  }

  /**
   * Makes a change once all that were asked for before it are made, or have failed.
   *
   * @throws {Error} where the server stops, or has stopped
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
   * Does something while no change is being made.
   *
   * @throws {Error} where the server stops, or has stopped
   */
  async between<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stop) throw new Error(REFUSALS[this.#state === "stopped" ? "stopped" : "draining"]);
    return await this.#next(work);
  }

  /** Stops the server once all changes are made that were asked for; asked again, it is the same stop. */
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
