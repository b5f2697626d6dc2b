/**
 * The order in which upstreams are tried.
 *
 * @module
 */
import type { Upstream } from "./upstream.ts";

/**
 * The balancing algorithm: each in turn, the one with the fewest clients, or the first that is up.
 */
export type Balance = "round-robin" | "least-connections" | "first";

/** Orders upstreams anew for each client. */
export class UpstreamOrder {
  readonly #upstreams: readonly Upstream[];
  readonly #balance: Balance;
  #turn = 0;

  /** Orders these upstreams. */
  constructor(upstreams: readonly Upstream[], balance: Balance) {
    this.#upstreams = upstreams;
    this.#balance = balance;
  }

  /**
   * The upstreams in the order in which to try them: first those that are due, then those that
   * failed a moment ago, so that no client is refused without an attempt.
   */
  next(): Upstream[] {
    const count = this.#upstreams.length;
    if (count === 1) return [...this.#upstreams];
    const start = this.#balance === "first" ? 0 : this.#turn++ % count;
    const inTurn = [...this.#upstreams.slice(start), ...this.#upstreams.slice(0, start)];
    const { due = [], paused = [] } = Object.groupBy(
      inTurn,
      (upstream) => upstream.isDue ? "due" : "paused",
    );
    if (this.#balance === "least-connections") due.sort((a, b) => a.live - b.live);
    return [...due, ...paused];
  }
}
