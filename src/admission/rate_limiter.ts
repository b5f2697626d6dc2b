/**
 * How often one peer may come: a token bucket for each.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";

/** How fast buckets fill, and how much they hold. */
export interface RateOptions {
  /** Tokens a second. */
  readonly rate: number;
  /** The most that a bucket holds, which is what may come at once. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was right, on the clock of `performance.now()`. */
  at: number;
}

/**
 * Buckets of one generation. There are two, so twice as many are kept at most; under a flood of addresses those go first
 * that were asked longest ago.
 */
export const GENERATION_LIMIT = 32_768;

/** So many buckets are kept until others come; more are forgotten by a timer. */
const FEW = 1_024;

/** The shortest time after which buckets are forgotten, in milliseconds; longer where they take longer to fill. */
const SHORTEST_WINDOW = 1_000;

const tasks = new TaskScope("forgetting who came at what rate", {
  without: "it is forgotten when the next come",
});

/**
 * A bucket for every peer that came of late. One that nobody asked for as long as it takes to fill is as good as none:
 * after that window, or the next, it is forgotten. Dispose it when nobody is to come any more.
 */
export class RateLimiter implements Disposable {
  /** Whoever came in this window, and whoever came in the last one and not since. */
  #current = new Map<string, Bucket>();
  #previous = new Map<string, Bucket>();
  #options: RateOptions;
  /** When the window began, on the clock of `performance.now()`. */
  #since = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Every peer begins with a full bucket. */
  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** How many buckets there are. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** From now on buckets fill like this; what is in them stays. */
  set options(options: RateOptions) {
    this.#options = options;
  }

  /** Takes a token out of the peer's bucket; `false` where there is none. */
  take(peer: string, now: number = performance.now()): boolean {
    const { rate, burst } = this.#options;
    if (now - this.#since >= this.#window || this.#current.size >= GENERATION_LIMIT) {
      this.#turnOver(now);
    }
    const bucket = this.#current.get(peer) ?? this.#previous.get(peer) ??
      { tokens: burst, at: now };
    this.#current.set(peer, bucket);
    this.#previous.delete(peer);
    if (this.#current.size > FEW) this.#timer ??= this.#later();
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

  /** Begins a window. Who did not come in the last one has a full bucket by now, and is forgotten. */
  #turnOver(now: number): void {
    this.#previous = now - this.#since < 2 * this.#window ? this.#current : new Map();
    this.#current = new Map();
    this.#since = now;
  }

  /** Forgets those of a crowd also where nobody comes after them. It holds up no process that is to end. */
  #later(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(
      tasks.guard(() => {
        this.#timer = undefined;
        this.#turnOver(performance.now());
        if (this.size > 0) this.#timer = this.#later();
      }),
      this.#window,
    );
    Deno.unrefTimer(timer);
    return timer;
  }

  /** Forgets everybody. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#current.clear();
    this.#previous.clear();
  }
}
