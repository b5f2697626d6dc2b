/**
 * Counts active connections against a limit.
 *
 * @module
 */

import { TaskScope } from "../scheduling/task_scope.ts";

/** A count with a limit. It may be shared with other threads. */
export interface Counter {
  /** The number of active connections. */
  readonly count: number;
  /** The most active connections. A limit below the count closes none. */
  limit: number;
  /** Whether the limit is reached. */
  readonly full: boolean;
  /** Adds a connection; `false` where the limit is reached. */
  acquire(): boolean;
  /** Removes a connection. */
  release(): void;
  /** Resolves when a slot may be free or the signal is aborted. Check again: other waiters may have taken it. */
  waitForCapacity(signal: AbortSignal): Promise<void>;
}

const tasks = new TaskScope("waiting for a slot", {
  consequence: "other waiters are not affected",
});

/** The counter of a single thread. */
export class ConnectionCounter implements Counter {
  #count = 0;
  #limit: number;
  readonly #waiting = new Set<() => void>();

  /** Starts at 0. */
  constructor({ limit = Infinity }: { limit?: number | undefined } = {}) {
    this.#limit = limit;
  }

  /** The number of active connections. */
  get count(): number {
    return this.#count;
  }

  /** The most active connections. A limit below the count closes none. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#wake();
  }

  /** Whether the limit is reached. */
  get full(): boolean {
    return this.#count >= this.#limit;
  }

  /** Adds a connection; `false` where the limit is reached. */
  acquire(): boolean {
    if (this.full) return false;
    this.#count++;
    return true;
  }

  /** Removes a connection. */
  release(): void {
    this.#count--;
    this.#wake();
  }

  /** Resolves when a slot may be free or the signal is aborted. Check again: other waiters may have taken it. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    if (!this.full || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = tasks.guard(() => resolve());
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake);
    await promise;
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", wake);
  }

  #wake(): void {
    if (this.full) return;
    for (const wake of this.#waiting) wake();
  }
}
