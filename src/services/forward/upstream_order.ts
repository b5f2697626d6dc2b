/**
 * The order in which upstreams are tried.
 *
 * @module
 */
import { type Address, isUnix } from "../../endpoint/address.ts";
import { rankedFor } from "./rendezvous.ts";
import type { Upstream } from "./upstream.ts";

/**
 * The balancing algorithm: each in turn, the one with the fewest clients, the first that is up, or
 * always the same one for a client's address.
 */
export type Balance = "round-robin" | "least-connections" | "first" | "source";

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
   * The upstreams in the order in which to try them for this client: first those that are due, then those that
   * failed a moment ago, so that no client is refused without an attempt.
   */
  next(client: Address | undefined): Upstream[] {
    if (this.#upstreams.length === 1) return [...this.#upstreams];
    const { due = [], paused = [] } = Object.groupBy(
      this.#inTurn(client),
      (upstream) => upstream.isDue ? "due" : "paused",
    );
    if (this.#balance === "least-connections") due.sort((a, b) => a.live - b.live);
    return [...due, ...paused];
  }

  /** The upstreams in the order of the algorithm. Clients without an address are served in turn. */
  #inTurn(client: Address | undefined): Upstream[] {
    if (this.#balance === "source" && client && !isUnix(client)) {
      return rankedFor(client.hostname, this.#upstreams);
    }
    const start = this.#balance === "first" ? 0 : this.#turn++ % this.#upstreams.length;
    return [...this.#upstreams.slice(start), ...this.#upstreams.slice(0, start)];
  }
}
