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
const MAX_LOSSES = 10;

/** The queue of workers that are ready to join. */
export class JoiningWorkers {
  readonly #ready = new Set<() => Promise<void>>();
  #isStopped = false;
  #losses = 0;
  #lastReason = "";
  /** The start is the first change: workers that ended before it count, too. */
  #isStarting = true;
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
    const most = (this.#isStarting ? 0 : this.#losses) + MAX_LOSSES;
    this.#isStarting = false;
    while (!isThere()) {
      const [join] = this.#ready;
      if (join) {
        // The worker pool handles the error.
        await join().catch(() => {});
        continue;
      }
      if (this.#isStopped) throw new Error("no worker is there any more: the server is stopping");
      if (this.#losses >= most) {
        throw new Error(
          `no worker can start: the last ${MAX_LOSSES} ended before they could serve: ${this.#lastReason}`,
        );
      }
      this.#next ??= Promise.withResolvers();
      await this.#next.promise;
    }
  }

  /** Counts a worker that has ended, and keeps the reason. */
  lost(reason: string): void {
    this.#losses++;
    this.#lastReason = reason;
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
