/**
 * The pause before a worker that ended is restarted.
 *
 * @module
 */

/** Limits of the pause, in milliseconds. It doubles while workers end in quick succession. */
const PAUSE = { first: 10, last: 5_000 };

/** Exponential back-off. */
export class BackOff {
  #pause: number = PAUSE.first;
  #lastAt = -Infinity;

  /** Returns how long to wait now, in milliseconds. */
  next(): number {
    const now = performance.now();
    this.#pause = now - this.#lastAt > PAUSE.last * 2
      ? PAUSE.first
      : Math.min(this.#pause * 2, PAUSE.last);
    this.#lastAt = now;
    return this.#pause;
  }
}
