/**
 * Spreads a burst of accepted connections over several turns of the event loop.
 *
 * @module
 */

import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("starting accepted connections", {
  consequence: "the next ones start",
});

/** The number of connections that are started in one turn of the event loop. */
const MAX_ACCEPT = 32;

/**
 * Limits how many accepted connections are started in one turn of the event loop. In a burst,
 * accepting goes first: if the kernel's accept queue is full, it drops SYNs, and a client sends
 * the next one only after a second (RFC 6298).
 */
export class AcceptBatch implements Disposable {
  #begun = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when the next connection may start; `undefined` if it may start now. */
  next(): Promise<void> | undefined {
    if (this.#begun === 0) this.#watch();
    if (this.#begun++ < MAX_ACCEPT) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends the batch. Nobody may be waiting. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #watch(): void {
    this.#timer = setTimeout(tasks.guard(() => this.#turn()));
  }

  #turn(): void {
    const begin = this.#waiting.splice(0, MAX_ACCEPT);
    this.#begun = begin.length;
    if (begin.length > 0) this.#watch();
    for (const resolve of begin) resolve();
  }
}
