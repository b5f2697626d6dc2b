/**
 * The pause before a worker that ended is replaced.
 *
 * @module
 */

/** The pauses, in milliseconds: they double while workers end one soon after the other. */
const PAUSE = { first: 10, last: 5_000 };

/** Pauses that grow. */
export class BackOff {
  #pause: number = PAUSE.first;
  #askedAt = -Infinity;

  /** How long to wait now, in milliseconds. */
  next(): number {
    const now = performance.now();
    this.#pause = now - this.#askedAt > PAUSE.last * 2
      ? PAUSE.first
      : Math.min(this.#pause * 2, PAUSE.last);
    this.#askedAt = now;
    return this.#pause;
  }
}
