/**
 * Percentiles and histogram of handshake durations, in constant memory.
 *
 * @module
 */
import { formatElapsed } from "./elapsed.ts";

/** Histogram buckets per doubling: percentiles are accurate to about 1 %. */
const BUCKETS_PER_DOUBLING = 64;
const DOUBLINGS = 42;
const BAR_WIDTH = 40;
const PERCENTILES = [50, 90, 99];

/** A histogram of durations with logarithmic buckets. */
export class HandshakeTimes {
  readonly #buckets = new Uint32Array(BUCKETS_PER_DOUBLING * DOUBLINGS);
  #count = 0;
  #longest = 0;

  /** Adds a duration in milliseconds. */
  add(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(Math.max(1, milliseconds * 1000)) * BUCKETS_PER_DOUBLING);
    const index = Math.min(this.#buckets.length - 1, bucket);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count += 1;
    this.#longest = Math.max(this.#longest, milliseconds);
  }

  /** Duration at a percentile, in milliseconds. */
  percentile(percent: number): number {
    const rank = Math.ceil(this.#count * percent / 100);
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= rank && seen > 0) {
        return Math.min(this.#longest, 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING) / 1000);
      }
    }
    return 0;
  }

  /** Renders common percentiles in one line. */
  renderPercentiles(): string {
    if (this.#count === 0) return "none was measured";
    const parts = PERCENTILES.map((percent) =>
      `p${percent} ${formatElapsed(this.percentile(percent))}`
    );
    return `${parts.join(", ")}, longest ${formatElapsed(this.#longest)}`;
  }

  /** Renders one bar for each doubling between the shortest and the longest duration. */
  renderHistogram(): string[] {
    const counts = Array.from({ length: DOUBLINGS }, (_, doubling) => this.#countIn(doubling));
    const first = counts.findIndex((count) => count > 0);
    const last = counts.findLastIndex((count) => count > 0);
    const most = Math.max(...counts);
    if (first === -1) return [];
    return counts.slice(first, last + 1).map((count, index) => {
      const bar = "█".repeat(Math.ceil(count / most * BAR_WIDTH));
      const doubling = first + index;
      const from = doubling === 0 ? "0" : formatElapsed(2 ** doubling / 1000);
      const to = formatElapsed(2 ** (doubling + 1) / 1000);
      const bounds = `${from.padStart(8)} to < ${to.padEnd(8)}`;
      return `${bounds} ${bar} ${count.toLocaleString("en-US")}`;
    });
  }

  #countIn(doubling: number): number {
    const from = doubling * BUCKETS_PER_DOUBLING;
    return this.#buckets.subarray(from, from + BUCKETS_PER_DOUBLING).reduce(
      (sum, count) => sum + count,
      0,
    );
  }
}
