/**
 * The result of probing one port.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import { DialTimeout } from "../transport/dial_error.ts";
import { codeOf, explain, isShortage } from "../transport/errors.ts";
import { LookupError } from "../transport/lookup_error.ts";
import { Histogram } from "./histogram.ts";

/** The worst result so far: `silent` is a timeout, `unprobed` means that no SYN was sent. */
export type State =
  | "open"
  | "refused"
  | "silent"
  | "unreachable"
  | "unresolved"
  | "untrusted"
  | "unprobed";

/** The results for one port. */
export class Finding {
  /** Its address. */
  readonly address: Address;
  /** How long connects took, without the name look-up. */
  readonly times: Histogram = new Histogram();
  /** How long look-ups by the system took. */
  readonly lookups: Histogram = new Histogram();
  /** Failed connects. */
  lost = 0;
  /** The worst result so far. */
  state: State = "unprobed";
  /** Why it is not open. */
  reason = "";
  #previous: number | undefined;
  #differences = 0;

  /** Starts as `unprobed`. */
  constructor(address: Address) {
    this.address = address;
  }

  /** Records a successful connect. */
  open(elapsed: number): void {
    if (this.lost === 0) this.state = "open";
    this.times.record(elapsed);
    if (this.#previous !== undefined) this.#differences += Math.abs(elapsed - this.#previous);
    this.#previous = elapsed;
  }

  /** Records a failed connect, and returns the result of this one. */
  fail(error: unknown): State {
    this.reason = explain(error);
    const state = stateOf(error);
    if (state === "unprobed" && this.sent > 0) return state;
    if (state !== "unprobed") this.lost++;
    this.state = state;
    return state;
  }

  /** Records an interrupted connect. */
  interrupt({ state, reason }: { state: State; reason: string }): void {
    this.lost++;
    this.state = state;
    this.reason = reason;
  }

  /** The number of connects. */
  get sent(): number {
    return this.times.count + this.lost;
  }

  /** The mean difference of successive times, in milliseconds: the jitter of RFC 3550 6.4.1 without smoothing. */
  get jitter(): number {
    return this.times.count > 1 ? this.#differences / (this.times.count - 1) : 0;
  }

  /** The share of failed connects, 0 to 1. */
  get loss(): number {
    return this.lost / Math.max(this.sent, 1);
  }
}

function stateOf(error: unknown): State {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "TrustError") return "untrusted";
    if (cause instanceof LookupError) return "unresolved";
    if (cause instanceof DialTimeout) return cause.phase === "look-up" ? "unresolved" : "silent";
    if (isShortage(cause)) return "unprobed";
    if (codeOf(cause) === "ECONNREFUSED") return "refused";
    if (codeOf(cause) === "ETIMEDOUT") return "silent";
    if (cause instanceof AggregateError) return bestOf(cause.errors.map(stateOf));
  }
  return "unreachable";
}

/** Combines the results of several addresses of one name, most informative first. */
function bestOf(states: readonly State[]): State {
  const order: readonly State[] = ["refused", "silent", "unreachable"];
  return order.find((state) => states.includes(state)) ?? "unreachable";
}
