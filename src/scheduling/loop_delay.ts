/**
 * Measures the delay of the event loop: how much later than due a timer runs.
 *
 * It uses a timer of its own because Deno's `monitorEventLoopDelay` misses synchronous blocking, and measures only
 * while there are watchers. All threads of a process add to the same shared memory.
 *
 * @module
 */
import { TaskScope } from "./task_scope.ts";

/** The period of the timer, in milliseconds. */
const PERIOD = 10;

/** How often other threads check for watchers, in milliseconds. */
const POLL_INTERVAL = 500;

/** The upper bounds of the histogram's buckets, in seconds. */
export const DELAY_BOUNDS: readonly number[] = [
  0.001,
  0.002,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  5,
];

/** The most watchers at a time. */
const MAX_WATCHERS = 4;

/** The layout of the memory: a bit mask of watchers, the longest delay of each, the sum, and a count per bucket. */
const MASK = 0;
const LONGEST = 1;
const SUM = LONGEST + MAX_WATCHERS;
const COUNTS = SUM + 1;

/** Memory shared by threads. Delays are in microseconds. */
export type LoopDelayMemory = BigInt64Array<SharedArrayBuffer>;

const tasks = new TaskScope("measuring the event loop's delay", {
  consequence: "the last measured value stays",
});

/** A watcher; disposing it ends its measurement. */
export interface LoopDelayWatch extends Disposable {
  /** Returns and resets the longest delay, in seconds. */
  takeLongest(): number;
  /** The number of delays in each bucket of {@linkcode DELAY_BOUNDS}, not cumulative, and of longer ones. */
  readonly counts: readonly number[];
  /** The sum of all delays, in seconds. */
  readonly sum: number;
}

/** The delays of all event loops of one server. */
export class LoopDelay {
  /** The memory to pass to other threads. */
  readonly memory: LoopDelayMemory;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Allocates memory, or uses that of another thread. */
  constructor(memory?: LoopDelayMemory) {
    const slots = COUNTS + DELAY_BOUNDS.length + 1;
    this.memory = memory ?? new BigInt64Array(new SharedArrayBuffer(slots * 8));
  }

  /** Measures here and in all following threads, until the result is disposed. */
  watch(): LoopDelayWatch {
    const { memory } = this;
    const mask = Number(Atomics.load(memory, MASK));
    const free = Array.from({ length: MAX_WATCHERS }, (_, i) => i).find((i) => !(mask & 1 << i));
    if (free === undefined) throw new Error(`the event loop has ${MAX_WATCHERS} watchers already`);
    const bit = BigInt(1 << free);
    Atomics.store(memory, LONGEST + free, 0n);
    Atomics.or(memory, MASK, bit);
    this.#follow();
    return {
      takeLongest: () => seconds(Atomics.exchange(memory, LONGEST + free, 0n)),
      get counts() {
        return [...memory.subarray(COUNTS)].map(Number);
      },
      get sum() {
        return seconds(Atomics.load(memory, SUM));
      },
      [Symbol.dispose]: () => {
        Atomics.and(memory, MASK, ~bit);
        this.#follow();
      },
    };
  }

  /** Measures in this thread, too, while another has watchers, until the result is disposed. */
  follow(): Disposable {
    const timer = setInterval(tasks.guard(() => this.#follow()), POLL_INTERVAL);
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
        this.#stop();
      },
    };
  }

  #follow(): void {
    const isWanted = Atomics.load(this.memory, MASK) !== 0n;
    if (isWanted && this.#timer === undefined) this.#start();
    else if (!isWanted) this.#stop();
  }

  #start(): void {
    let due = performance.now() + PERIOD;
    this.#timer = setInterval(
      tasks.guard(() => {
        const now = performance.now();
        this.#count(Math.max(0, now - due));
        due = now + PERIOD;
      }),
      PERIOD,
    );
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #count(milliseconds: number): void {
    const { memory } = this;
    const at = DELAY_BOUNDS.findIndex((bound) => milliseconds <= bound * 1_000);
    Atomics.add(memory, COUNTS + (at === -1 ? DELAY_BOUNDS.length : at), 1n);
    const delay = BigInt(Math.round(milliseconds * 1_000));
    Atomics.add(memory, SUM, delay);
    for (let i = LONGEST; i < LONGEST + MAX_WATCHERS; i++) {
      let longest = Atomics.load(memory, i);
      while (delay > longest) {
        const before = Atomics.compareExchange(memory, i, longest, delay);
        if (before === longest) break;
        longest = before;
      }
    }
  }
}

function seconds(microseconds: bigint): number {
  return Number(microseconds) / 1e6;
}
