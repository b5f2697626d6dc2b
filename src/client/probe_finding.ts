/**
 * What came of probing one port, as often as it was probed.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import { DialTimeout } from "../transport/dial_error.ts";
import { codeOf, explain, isShortage } from "../transport/errors.ts";
import { LookupError } from "../transport/lookup_error.ts";
import { Histogram } from "./histogram.ts";

/** What a port answered, at worst; `unprobed` where nothing was sent. */
export type State =
  | "open"
  | "refused"
  | "silent"
  | "unreachable"
  | "unresolved"
  | "untrusted"
  | "unprobed";

/** One port, and what is known of it so far. */
export class Finding {
  /** Where it is. */
  readonly address: Address;
  /** How long connects took, name look-ups not included. */
  readonly times: Histogram = new Histogram();
  /** How long the system took to look the name up, each time that it was asked. */
  readonly lookups: Histogram = new Histogram();
  /** Connects that came to nothing. */
  lost = 0;
  /** What it answered. */
  state: State = "unprobed";
  /** Why it is not open. */
  reason = "";
  #before: number | undefined;
  #steps = 0;

  /** Nothing is known yet. */
  constructor(address: Address) {
    this.address = address;
  }

  /** A connect succeeded. */
  open(took: number): void {
    if (this.lost === 0) this.state = "open";
    this.times.record(took);
    if (this.#before !== undefined) this.#steps += Math.abs(took - this.#before);
    this.#before = took;
  }

  /** A connect failed. */
  fail(error: unknown): void {
    this.reason = explain(error);
    const state = stateOf(error);
    if (state === "unprobed" && this.sent > 0) return;
    if (state !== "unprobed") this.lost++;
    this.state = state;
  }

  /** The probe was interrupted while a connect was under way. */
  interrupt({ state, reason }: { state: State; reason: string }): void {
    this.lost++;
    this.state = state;
    this.reason = reason;
  }

  /** How many connects were tried. */
  get sent(): number {
    return this.times.count + this.lost;
  }

  /** The mean difference between one time and the next (RFC 3550 smooths the same), in milliseconds. */
  get jitter(): number {
    return this.times.count > 1 ? this.#steps / (this.times.count - 1) : 0;
  }

  /** The share of connects that came to nothing, 0 to 1. */
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

/** What several addresses answered: whoever refuses is there, and whoever is silent may be. */
function bestOf(states: readonly State[]): State {
  const order: readonly State[] = ["refused", "silent", "unreachable"];
  return order.find((state) => states.includes(state)) ?? "unreachable";
}
