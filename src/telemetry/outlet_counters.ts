/**
 * The counters of one outlet, as plain numbers: prom-client's counters look their labels up on every increment, which
 * takes longer than an accept.
 *
 * @module
 */
import { type Address, formatAddress } from "../endpoint/address.ts";
import { labelText } from "./exposition.ts";

/** The labels of an outlet. */
export interface OutletLabels {
  /** Its name. */
  readonly outlet: string;
  /** Its address. */
  readonly address: string;
}

/** The names of an outlet's labels. */
export const ABOUT: (keyof OutletLabels)[] = ["outlet", "address"];

/** The labels of an outlet. */
export function labelsOf(
  { outlet, address }: { readonly outlet: string; readonly address: Address },
): OutletLabels {
  return { outlet, address: formatAddress(address) };
}

const DURATIONS = [0.001, 0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 86_400];
const SIZES = [64, 1024, 16 * 1024, 256 * 1024, 4 * 1024 ** 2, 64 * 1024 ** 2, 1024 ** 3];

/** The counters of one outlet. */
export class OutletCounters {
  /** Its labels in Prometheus's format. */
  readonly labels: string;
  /** Admitted connections. */
  opened = 0;
  /** Refused connections, by reason. */
  readonly refused: Map<string, number> = new Map();
  /** Dropped datagrams, by reason. */
  readonly dropped: Map<string, number> = new Map();
  /** Datagrams of closed sessions, received and sent. */
  readonly datagrams: Record<"in" | "out", number> = { in: 0, out: 0 };
  /** Closed connections, by reason. */
  readonly closed: Map<string, number> = new Map();
  /** Their durations, in seconds. */
  readonly durations: Distribution = new Distribution(DURATIONS);
  /** Their bytes, received and sent. */
  readonly sizes: Readonly<Record<"in" | "out", Distribution>> = {
    in: new Distribution(SIZES),
    out: new Distribution(SIZES),
  };

  /** Starts at 0. */
  constructor(labels: OutletLabels) {
    this.labels = labelText({ ...labels });
  }
}

/** Adds to the count of a label. */
export function addTo(
  counts: Map<string, number>,
  { label, count = 1 }: { label: string; count?: number | undefined },
): void {
  counts.set(label, (counts.get(label) ?? 0) + count);
}

/** A histogram with fixed bounds. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** Takes the upper bounds of the buckets, in ascending order. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = [...bounds, Infinity].map(() => 0);
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  /** Adds a value. */
  add(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > this.#bounds[at]!) at++;
    this.#counts[at]!++;
    this.#sum += value;
  }

  /** The number of values. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** The cumulative count of each bucket. */
  *buckets(): Generator<[le: number | "+Inf", count: number]> {
    let count = 0;
    for (const [i, le] of [...this.#bounds, "+Inf" as const].entries()) {
      count += this.#counts[i]!;
      yield [le, count];
    }
  }
}
