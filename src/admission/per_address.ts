/**
 * How many connections each peer has: the counts behind a limit for each address.
 *
 * @module
 */

/** Counts by peer. */
export interface PerAddressCounter {
  /** How many connections this peer has. */
  count(peer: string): number;
  /** Counts one more in. */
  enter(peer: string): void;
  /** Counts one out. */
  leave(peer: string): void;
}

/** Counts of one thread, which need no more memory than there are peers. */
export class LocalPerAddressCounter implements PerAddressCounter {
  readonly #counts = new Map<string, number>();

  /** How many connections this peer has. */
  count(peer: string): number {
    return this.#counts.get(peer) ?? 0;
  }

  /** Counts one more in. */
  enter(peer: string): void {
    this.#counts.set(peer, this.count(peer) + 1);
  }

  /** Counts one out. */
  leave(peer: string): void {
    const left = this.count(peer) - 1;
    if (left > 0) this.#counts.set(peer, left);
    else this.#counts.delete(peer);
  }
}
