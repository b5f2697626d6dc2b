/**
 * Many lengths of time in little room: every one is counted in a bucket that is at most 1 % wide, from a
 * microsecond to a day, however many there are (the idea of HdrHistogram).
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";

/** Values have 8 significant bits: a bucket is at most 1/128 of its values, which is under 1 %. */
const BITS = 8;
const STEPS = 2 ** BITS;

/** Powers of two above the exact range: up to 2^37 µs, a day and a half. */
const POWERS = 30;

/** The rows and the width of a histogram in text. */
const ROWS = 12;
const WIDTH = 40;

/** Counts lengths of time, in milliseconds. */
export class Histogram {
  /** How many were recorded. */
  count = 0;
  /** The shortest, exactly. */
  min: number = Infinity;
  /** The longest, exactly. */
  max = 0;
  #sum = 0;
  readonly #counts = new Float64Array(STEPS * (POWERS + 1));

  /** Counts one more. */
  record(milliseconds: number): void {
    this.count++;
    this.#sum += milliseconds;
    if (milliseconds < this.min) this.min = milliseconds;
    if (milliseconds > this.max) this.max = milliseconds;
    this.#counts[bucketOf(milliseconds * 1000)]!++;
  }

  /** Their mean; `NaN` where there are none. */
  get mean(): number {
    return this.#sum / this.count;
  }

  /** What `share` of them, from 0 to 1, do not exceed; `NaN` where there are none. */
  quantile(share: number): number {
    if (this.count === 0) return NaN;
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return clamp(endOf(bucket) / 1000, this.min, this.max);
    }
    return this.max;
  }

  /** Bars for people: a row for each span of time, the spans growing by a constant factor. */
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
