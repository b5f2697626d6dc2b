/**
 * What has happened at one outlet, in plain numbers. It is counted with every client, and shown to Prometheus only when
 * somebody asks: prom-client's own counters look their labels up each time, which takes longer than an accept.
 *
 * @module
 */
import { type Address, formatAddress } from "../endpoint/address.ts";
import { labelText } from "./exposition.ts";

/** An outlet, as labels tell it. */
export interface OutletLabels {
  /** Its name. */
  readonly outlet: string;
  /** Where it listens. */
  readonly address: string;
}

/** Their names. */
export const ABOUT: (keyof OutletLabels)[] = ["outlet", "address"];

/** The labels of an outlet. */
export function labelsOf(
  { outlet, address }: { readonly outlet: string; readonly address: Address },
): OutletLabels {
  return { outlet, address: formatAddress(address) };
}

const DURATIONS = [0.001, 0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 86_400];
const SIZES = [64, 1024, 16 * 1024, 256 * 1024, 4 * 1024 ** 2, 64 * 1024 ** 2, 1024 ** 3];

/** One outlet's numbers. */
export class OutletCounters {
  /** Which outlet it is, as Prometheus's labels. */
  readonly labels: string;
  /** Clients that were let in. */
  opened = 0;
  /** Clients that were turned away, by the reason. */
  readonly refused: Map<string, number> = new Map();
  /** Connections that have ended, by the reason. */
  readonly closed: Map<string, number> = new Map();
  /** Their seconds. */
  readonly durations: Distribution = new Distribution(DURATIONS);
  /** The bytes that came over each of them, and those that went. */
  readonly sizes: Readonly<Record<"in" | "out", Distribution>> = {
    in: new Distribution(SIZES),
    out: new Distribution(SIZES),
  };

  /** Nothing has happened there yet. */
  constructor(labels: OutletLabels) {
    this.labels = labelText({ ...labels });
  }
}

/** Adds one to the count behind a word. */
export function addOne(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** How many values there were up to each bound, as Prometheus's histograms tell it. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** No values yet; the bounds rise. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = [...bounds, Infinity].map(() => 0);
  }

  /** All values together. */
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

  /** How many values there were. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** For each bound, how many values there were up to it. */
  *buckets(): Generator<[le: number | "+Inf", count: number]> {
    let count = 0;
    for (const [i, le] of [...this.#bounds, "+Inf" as const].entries()) {
      count += this.#counts[i]!;
      yield [le, count];
    }
  }
}
