/**
 * Who is looked up next: a name that nobody answers for must not hold up another.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { TOO_MANY_LOOKUPS } from "./lookup_error.ts";
import { LOOKUP_THREADS, LookupThreads } from "./lookup_threads.ts";

/** What is known of a name: it was answered for, nothing yet, or nobody answered when it was asked for last. */
export type LookupLane = "answered" | "new" | "silent";

/** Look-ups at the same time; one that has been silent for a while does not count. */
const AT_ONCE = 8;

/**
 * The lanes in the order in which they are served. Each begins a look-up only while all together have taken fewer
 * threads than these: what is left is kept for the lanes before it (trunk reservation).
 */
const LANES: readonly (readonly [LookupLane, threads: number])[] = [
  ["answered", LOOKUP_THREADS],
  ["new", LOOKUP_THREADS - 8],
  ["silent", LOOKUP_THREADS - 36],
];

/** The most names that wait to be looked up. */
const QUEUE_LIMIT = 1_000;

/** In milliseconds. */
export interface LookupQueueTimes {
  /** After so long without an answer, a look-up does not count as one of those at the same time. */
  readonly place: number;
  /** After so long in the queue a name is refused. */
  readonly queue: number;
}

/** What a queue of look-ups has done so far, and does now. */
export interface LookupQueueCounts {
  /** Questions that the system was asked. */
  readonly lookups: number;
  /** Names that were not looked up, because too many others are silent. */
  readonly refused: number;
  /** Look-ups that are under way now. */
  readonly underWay: number;
  /** Of these, how many have been silent for a while. */
  readonly silent: number;
  /** Names that wait to be looked up. */
  readonly queued: number;
}

/** What a queue works with. */
export interface LookupQueueOptions {
  /** Asks the system. */
  readonly ask?: ((name: string) => Promise<readonly string[]>) | undefined;
  /** What it waits for. */
  readonly times: LookupQueueTimes;
}

const tasks = new TaskScope("looking up a name", {
  without: "those who wait for it give up in time",
});

/** Looks names up, a few at a time. */
export class LookupQueue {
  readonly #ask: (name: string) => Promise<readonly string[]>;
  readonly #times: LookupQueueTimes;
  readonly #lanes: Readonly<Record<LookupLane, Set<() => void>>> = {
    answered: new Set(),
    new: new Set(),
    silent: new Set(),
  };
  #lookups = 0;
  #refused = 0;
  #underWay = 0;
  #silent = 0;

  /** An empty queue. */
  constructor({ ask, times }: LookupQueueOptions) {
    const threads = new LookupThreads();
    this.#ask = ask ?? ((name) => threads.ask(name));
    this.#times = times;
  }

  /** What it has done so far, and does now. */
  get counts(): LookupQueueCounts {
    return {
      lookups: this.#lookups,
      refused: this.#refused,
      underWay: this.#underWay,
      silent: this.#silent,
      queued: this.#queued,
    };
  }

  /**
   * Looks a name up when it is its turn.
   *
   * @throws {Error} whose `code` is the system's, or {@linkcode TOO_MANY_LOOKUPS}
   */
  async lookUp(name: string, lane: LookupLane): Promise<readonly string[]> {
    const turn = this.#turn(lane);
    if (turn) await turn;
    let isSilent = false;
    const late = setTimeout(
      tasks.guard(() => {
        isSilent = true;
        this.#silent++;
        this.#next();
      }),
      this.#times.place,
    );
    try {
      return await this.#ask(name);
    } finally {
      clearTimeout(late);
      this.#underWay--;
      if (isSilent) this.#silent--;
      this.#next();
    }
  }

  /** Resolves when a look-up of this lane may begin, and counts as under way; `undefined` where that is now. */
  #turn(lane: LookupLane): Promise<void> | undefined {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const queue = this.#lanes[lane];
    queue.add(resolve);
    this.#next();
    if (!queue.has(resolve)) return undefined;
    if (this.#queued > QUEUE_LIMIT) {
      queue.delete(resolve);
      throw this.#refusal();
    }
    const late = setTimeout(
      tasks.guard(() => queue.delete(resolve) && reject(this.#refusal())),
      this.#times.queue,
    );
    return promise.finally(() => clearTimeout(late));
  }

  /** Lets those begin for whom there is a place. */
  #next(): void {
    for (const [lane, threads] of LANES) {
      for (const begin of this.#lanes[lane]) {
        if (this.#underWay - this.#silent >= AT_ONCE || this.#underWay >= threads) break;
        this.#lanes[lane].delete(begin);
        this.#underWay++;
        this.#lookups++;
        begin();
      }
    }
  }

  #refusal(): Error {
    this.#refused++;
    const text = `${this.#silent} look-ups wait for name servers that do not answer`;
    return Object.assign(new Error(text), { code: TOO_MANY_LOOKUPS });
  }

  get #queued(): number {
    return Object.values(this.#lanes).reduce((sum, { size }) => sum + size, 0);
  }
}
