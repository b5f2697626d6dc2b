/**
 * Workers that are ready to join. They join between two changes, or, while a change waits because
 * no worker is left, at the beginning of that change.
 *
 * @module
 */

/**
 * How many workers in a row may end before they join until a change that waits for one fails. A
 * count, not a timeout, because a thread starts slowly on a busy machine.
 */
const MAX_LOSSES = 20;

/** The queue of workers that are ready to join. */
export class JoiningWorkers {
  readonly #ready = new Set<() => Promise<void>>();
  #isStopped = false;
  #losses = 0;
  #next: PromiseWithResolvers<void> | undefined;

  /** Runs `join` once: in its `turn`, or earlier if a change waits for workers. */
  async add(
    join: () => Promise<void>,
    turn: (join: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    let joining: Promise<void> | undefined;
    const joinOnce = () => {
      this.#ready.delete(joinOnce);
      return joining ??= join();
    };
    this.#ready.add(joinOnce);
    this.#wake();
    await turn(joinOnce).finally(() => this.#ready.delete(joinOnce));
  }

  /**
   * Lets workers join until `isThere` returns true.
   *
   * @throws {Error} if too many workers end before they join, or the server is stopping
   */
  async waitUntil(isThere: () => boolean): Promise<void> {
    const most = this.#losses + MAX_LOSSES;
    while (!isThere()) {
      const [join] = this.#ready;
      if (join) {
        // The worker pool handles the error.
        await join().catch(() => {});
        continue;
      }
      if (this.#isStopped) throw new Error("no worker is there any more: the server is stopping");
      if (this.#losses >= most) {
        throw new Error(`no worker is there: the last ${MAX_LOSSES} ended before they could serve`);
      }
      this.#next ??= Promise.withResolvers();
      await this.#next.promise;
    }
  }

  /** Counts a worker that has ended. */
  lost(): void {
    this.#losses++;
    this.#wake();
  }

  /** Ends all waiting: no more workers will join. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  #wake(): void {
    this.#next?.resolve();
    this.#next = undefined;
  }
}
