/**
 * How often one peer may come: a token bucket for each.
 *
 * @module
 */

/** How fast buckets fill, and how much they hold. */
export interface RateOptions {
  /** Tokens a second. */
  readonly rate: number;
  /** The most that a bucket holds, which is what may come at once. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was right, on the clock of `performance.now()`. */
  at: number;
}

/** Buckets that are kept; under a flood of addresses the one that was asked longest ago goes first. */
export const BUCKETS_LIMIT = 32_768;

/** A bucket for every peer that came of late. */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();
  #options: RateOptions;

  /** Every peer begins with a full bucket. */
  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** How many peers have a bucket. */
  get size(): number {
    return this.#buckets.size;
  }

  /** From now on buckets fill like this; what is in them stays. */
  set options(options: RateOptions) {
    this.#options = options;
  }

  /** Takes a token out of the peer's bucket; `false` where there is none. */
  take(peer: string, now: number = performance.now()): boolean {
    const { rate, burst } = this.#options;
    const before = this.#buckets.get(peer) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, before.tokens + (now - before.at) * rate / 1000);
    const granted = tokens >= 1;
    // Taken out and put back, so that the map's order is that of the last visit.
    this.#buckets.delete(peer);
    this.#buckets.set(peer, { tokens: granted ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > BUCKETS_LIMIT) {
      for (const [oldest] of this.#buckets) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return granted;
  }
}
