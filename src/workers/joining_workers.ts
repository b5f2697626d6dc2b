/**
 * Workers that are ready to join the others. They join between two changes; while a change waits because no worker is
 * left, they join in the middle of it, before anything of it is done.
 *
 * @module
 */

/**
 * How many workers in a row may end before they have joined until a change that waits for one fails. Their number
 * counts, not the time: on a busy machine a thread starts slowly.
 */
const MAX_LOSSES = 20;

/** Lets workers join, each once. */
export class JoiningWorkers {
  readonly #ready = new Set<() => Promise<void>>();
  #isStopped = false;
  #losses = 0;
  #next: PromiseWithResolvers<void> | undefined;

  /** Runs `join` once: at its turn in the queue, or when a change waits. */
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
   * Lets workers join until this holds.
   *
   * @throws {Error} where all that are started end, or none will come any more
   */
  async until(isThere: () => boolean): Promise<void> {
    const most = this.#losses + MAX_LOSSES;
    while (!isThere()) {
      const [join] = this.#ready;
      if (join) {
        // Whoever starts workers sees to one that cannot join.
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

  /** Takes note that a worker has ended. */
  lost(): void {
    this.#losses++;
    this.#wake();
  }

  /** No worker comes any more. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  #wake(): void {
    this.#next?.resolve();
    this.#next = undefined;
  }
}
