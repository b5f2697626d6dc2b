/**
 * A histogram of durations in constant memory, with buckets at most 1 % wide, from a microsecond to a day (as in
 * HdrHistogram).
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";

/** Significant bits of a value: a bucket is at most 1/128 of its values wide, under 1 %. */
const BITS = 8;
const STEPS = 2 ** BITS;

/** Powers of two above the exact range: up to 2^37 µs, 38 hours. */
const POWERS = 30;

/** The number of rows and the length of the bars in text. */
const ROWS = 12;
const WIDTH = 40;

/** Counts durations, in milliseconds. */
export class Histogram {
  /** The number of values. */
  count = 0;
  /** The smallest value, exact. */
  min: number = Infinity;
  /** The largest value, exact. */
  max = 0;
  #sum = 0;
  readonly #counts = new Float64Array(STEPS * (POWERS + 1));

  /** Adds a value. */
  record(milliseconds: number): void {
    this.count++;
    this.#sum += milliseconds;
    if (milliseconds < this.min) this.min = milliseconds;
    if (milliseconds > this.max) this.max = milliseconds;
    this.#counts[bucketOf(milliseconds * 1000)]!++;
  }

  /** The mean; `NaN` if there are no values. */
  get mean(): number {
    return this.#sum / this.count;
  }

  /** The quantile of `share`, 0 to 1; `NaN` if there are no values. */
  quantile(share: number): number {
    if (this.count === 0) return NaN;
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return clamp(endOf(bucket) / 1000, this.min, this.max);
    }
    return this.max;
  }

  /** A bar chart of text lines with logarithmic ranges. */
  bars(): string[] {
    if (this.count === 0) return [];
    const rows = this.#rows();
    const most = Math.max(...rows.map(({ count }) => count));
    return rows.map(({ end, count }) => {
      const bar = "█".repeat(Math.ceil(count / most * WIDTH));
      return `${`≤ ${formatDuration(end)}`.padStart(12)} │${bar.padEnd(WIDTH)} ${count}`;
    });
  }

  #rows(): { end: number; count: number }[] {
    const ratio = Math.max(this.max / this.min, 1);
    const rows = ratio < 1.02 ? 1 : ROWS;
    const ends = Array.from(
      { length: rows },
      (_, i) => i === rows - 1 ? this.max : this.min * ratio ** ((i + 1) / rows),
    );
    const counts = ends.map((end) => ({ end, count: 0 }));
    this.#counts.forEach((count, bucket) => {
      if (count === 0) return;
      const time = clamp(startOf(bucket) / 1000, this.min, this.max);
      (counts.find(({ end }) => time <= end) ?? counts.at(-1)!).count += count;
    });
    return counts;
  }
}

function bucketOf(microseconds: number): number {
  const value = Math.floor(microseconds);
  if (value < STEPS) return Math.max(value, 0);
  const power = Math.min(Math.floor(Math.log2(value)) - BITS + 1, POWERS);
  const step = Math.min(Math.floor(value / 2 ** power), STEPS - 1);
  return power * STEPS + step;
}

function startOf(bucket: number): number {
  return (bucket % STEPS) * 2 ** Math.floor(bucket / STEPS);
}

function endOf(bucket: number): number {
  return (bucket % STEPS + 1) * 2 ** Math.floor(bucket / STEPS);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
