/**
 * Workers that are ready to join the others. They join between two changes; while a change waits because no worker is
 * left, they join in the middle of it, before anything of it is done.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";

/** How long a change waits for a worker, in milliseconds: a thread has to start, after a pause. */
const TIMEOUT = 60_000;

/** Lets workers join, each once. */
export class JoiningWorkers {
  readonly #ready = new Set<() => Promise<void>>();
  #isStopped = false;
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
   * @throws {Error} where none comes in time, or none will come any more
   */
  async until(isThere: () => boolean): Promise<void> {
    const end = performance.now() + TIMEOUT;
    while (!isThere()) {
      const [join] = this.#ready;
      if (join) {
        // Whoever starts workers sees to one that cannot join.
        await join().catch(() => {});
        continue;
      }
      if (this.#isStopped) throw new Error("no worker is there any more: the server is stopping");
      this.#next ??= Promise.withResolvers();
      await deadline(this.#next.promise, Math.max(0, end - performance.now())).catch(() => {
        throw new Error(`no worker is there, and none came in ${TIMEOUT / 1_000} s`);
      });
    }
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
