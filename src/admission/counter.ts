/**
 * How many connections are active, and how many may be: the count behind a limit.
 *
 * @module
 */

import { TaskScope } from "../scheduling/task_scope.ts";

/** A count with a limit, whoever else counts with it. */
export interface Counter {
  /** How many are active. */
  readonly count: number;
  /** How many may be active. When it falls below the count, nobody is sent away. */
  limit: number;
  /** Whether one more would be too many. */
  readonly full: boolean;
  /** Counts one more in; `false` where that would be too many. */
  acquire(): boolean;
  /** Counts one out. */
  release(): void;
  /** Resolves when there may be capacity again, or the signal is aborted: look again, others were waiting too. */
  waitForCapacity(signal: AbortSignal): Promise<void>;
}

const tasks = new TaskScope("waiting for a place", { without: "the others wait on" });

/** A count with a limit, and a queue for those who wait for it to fall. */
export class ConnectionCounter implements Counter {
  #count = 0;
  #limit: number;
  readonly #waiting = new Set<() => void>();

  /** None is active; up to `limit` may be. */
  constructor({ limit = Infinity }: { limit?: number | undefined } = {}) {
    this.#limit = limit;
  }

  /** How many are active. */
  get count(): number {
    return this.#count;
  }

  /** How many may be active. When it falls below the count, nobody is sent away. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#wake();
  }

  /** Whether one more would be too many. */
  get full(): boolean {
    return this.#count >= this.#limit;
  }

  /** Counts one more in; `false` where that would be too many. */
  acquire(): boolean {
    if (this.full) return false;
    this.#count++;
    return true;
  }

  /** Counts one out. */
  release(): void {
    this.#count--;
    this.#wake();
  }

  /** Resolves when there may be capacity again, or the signal is aborted: look again, others were waiting too. */
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
