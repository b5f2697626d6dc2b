/**
 * How late the event loop is: what a timer that is due waits for whatever runs then, and everybody else with it. It is
 * measured with a timer of our own, because Deno's `monitorEventLoopDelay` does not see what blocks it, and
 * only while somebody looks. All threads of a process count in the same memory.
 *
 * @module
 */
import { TaskScope } from "./task_scope.ts";

/** How often it is measured, in milliseconds. */
const PERIOD = 10;

/** How often other threads look whether somebody looks, in milliseconds. */
const LOOK = 500;

/** The upper bounds of what is counted together, in seconds. */
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

/** The most that look at the same time, each with a longest delay of their own. */
const WATCHERS = 4;

/** Where things are in the memory: who looks (bits), the longest for each of them, the sum, counts by bound. */
const LOOKING = 0;
const LONGEST = 1;
const SUM = LONGEST + WATCHERS;
const COUNTS = SUM + 1;

/** Memory that threads share. Delays are in microseconds. */
export type LoopDelayMemory = BigInt64Array<SharedArrayBuffer>;

const tasks = new TaskScope("measuring the event loop's delay", { without: "the figure stands" });

/** Somebody who looks. Disposing it ends that. */
export interface LoopDelayWatch extends Disposable {
  /** The longest delay since this was asked the last time, in seconds. */
  takeLongest(): number;
  /** How many delays there were up to each of {@linkcode DELAY_BOUNDS}, not counting the ones before, and of more. */
  readonly counts: readonly number[];
  /** All delays together, in seconds. */
  readonly sum: number;
}

/** The delays of the event loops of one server. */
export class LoopDelay {
  /** What other threads are given. */
  readonly memory: LoopDelayMemory;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** In memory of its own, or in another thread's. */
  constructor(memory?: LoopDelayMemory) {
    const slots = COUNTS + DELAY_BOUNDS.length + 1;
    this.memory = memory ?? new BigInt64Array(new SharedArrayBuffer(slots * 8));
  }

  /** Measures from now on, here and in every thread that follows, until what it returns is disposed. */
  watch(): LoopDelayWatch {
    const { memory } = this;
    const looking = Number(Atomics.load(memory, LOOKING));
    const free = Array.from({ length: WATCHERS }, (_, i) => i).find((i) => !(looking & 1 << i));
    if (free === undefined) throw new Error(`${WATCHERS} look at the event loop already`);
    const bit = BigInt(1 << free);
    Atomics.store(memory, LONGEST + free, 0n);
    Atomics.or(memory, LOOKING, bit);
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
        Atomics.and(memory, LOOKING, ~bit);
        this.#follow();
      },
    };
  }

  /** Measures in this thread, too, whenever somebody looks in another, until what it returns is disposed. */
  follow(): Disposable {
    const timer = setInterval(tasks.guard(() => this.#follow()), LOOK);
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
        this.#stop();
      },
    };
  }

  /** Measures where somebody looks, and else not. */
  #follow(): void {
    const isWanted = Atomics.load(this.memory, LOOKING) !== 0n;
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
    for (let i = LONGEST; i < LONGEST + WATCHERS; i++) {
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
