/**
 * Limits the rate of connections per client address with token buckets.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";

/** The rate and size of the buckets. */
export interface RateOptions {
  /** Tokens added per second. */
  readonly rate: number;
  /** The most tokens in a bucket. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was updated, as `performance.now()`. */
  at: number;
}

/**
 * The most buckets of one generation; there are two generations. When more addresses connect, the least recently used
 * buckets are discarded.
 */
export const GENERATION_LIMIT = 32_768;

/** Above this number of buckets, a timer discards full ones. */
const TIMER_THRESHOLD = 1_024;

/** The shortest lifetime of a generation, in milliseconds; longer where a bucket takes longer to fill. */
const SHORTEST_WINDOW = 1_000;

const tasks = new TaskScope("discarding rate-limit buckets", {
  consequence: "they are discarded at the next connection",
});

/**
 * Token buckets by client address, in two generations: a bucket that was not used for the time it takes to fill is
 * full, and can be discarded.
 */
export class RateLimiter implements Disposable {
  /** The buckets used in this window, and those used only in the last one. */
  #current = new Map<string, Bucket>();
  #previous = new Map<string, Bucket>();
  #options: RateOptions;
  /** When the window began, as `performance.now()`. */
  #since = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Starts every bucket full. */
  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** The number of buckets. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** Changes the rate and size of the buckets; they keep their tokens. */
  set options(options: RateOptions) {
    this.#options = options;
  }

  /** Takes a token from an address's bucket; `false` where it is empty. */
  take(peer: string, now: number = performance.now()): boolean {
    const { rate, burst } = this.#options;
    if (now - this.#since >= this.#window || this.#current.size >= GENERATION_LIMIT) {
      this.#rotate(now);
    }
    const bucket = this.#current.get(peer) ?? this.#previous.get(peer) ??
      { tokens: burst, at: now };
    this.#current.set(peer, bucket);
    this.#previous.delete(peer);
    if (this.#current.size > TIMER_THRESHOLD) this.#timer ??= this.#scheduleRotation();
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * rate / 1000);
    bucket.at = now;
    const isGranted = bucket.tokens >= 1;
    if (isGranted) bucket.tokens--;
    return isGranted;
  }

  /** How long an empty bucket takes to fill, in milliseconds. */
  get #window(): number {
    const { rate, burst } = this.#options;
    return Math.max(burst / rate * 1000, SHORTEST_WINDOW);
  }

  /** Starts a window, and discards the buckets that were not used in the last one: they are full by now. */
  #rotate(now: number): void {
    this.#previous = now - this.#since < 2 * this.#window ? this.#current : new Map();
    this.#current = new Map();
    this.#since = now;
  }

  /** Schedules the end of the window, without keeping the process alive. */
  #scheduleRotation(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(
      tasks.guard(() => {
        this.#timer = undefined;
        this.#rotate(performance.now());
        if (this.size > 0) this.#timer = this.#scheduleRotation();
      }),
      this.#window,
    );
    Deno.unrefTimer(timer);
    return timer;
  }

  /** Discards all buckets and the timer. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#current.clear();
    this.#previous.clear();
  }
}
