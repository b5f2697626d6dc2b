/**
 * Counts active connections by client address.
 *
 * @module
 */

/** Counts by client address: an IPv4 address or an IPv6 /64. */
export interface PerAddressCounter {
  /** The connections from this address. */
  count(peer: string): number;
  /** Adds a connection. */
  enter(peer: string): void;
  /** Removes a connection. */
  leave(peer: string): void;
}

/** The counts of a single thread. Addresses without connections take no memory. */
export class LocalPerAddressCounter implements PerAddressCounter {
  readonly #counts = new Map<string, number>();

  /** The connections from this address. */
  count(peer: string): number {
    return this.#counts.get(peer) ?? 0;
  }

  /** Adds a connection. */
  enter(peer: string): void {
    this.#counts.set(peer, this.count(peer) + 1);
  }

  /** Removes a connection. */
  leave(peer: string): void {
    const left = this.count(peer) - 1;
    if (left > 0) this.#counts.set(peer, left);
    else this.#counts.delete(peer);
  }
}
