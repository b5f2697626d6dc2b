/**
 * The queue of name look-ups. Unanswered names must not delay others.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { TOO_MANY_LOOKUPS } from "./lookup_error.ts";
import { LOOKUP_THREADS, LookupThreads } from "./lookup_threads.ts";

/**
 * What is known of a name: it was resolved before, it is new, or the last look-up was not answered.
 */
export type LookupPriority = "answered" | "new" | "unanswered";

/** The number of concurrent look-ups. Those without an answer after a while do not count. */
const MAX_CONCURRENT = 8;

/**
 * The priorities in order, the highest first. Each starts a look-up only while fewer than this many threads are
 * busy in total; the rest is reserved for those before it (trunk reservation).
 */
const PRIORITIES: readonly (readonly [LookupPriority, threads: number])[] = [
  ["answered", LOOKUP_THREADS],
  ["new", LOOKUP_THREADS - 8],
  ["unanswered", LOOKUP_THREADS - 36],
];

/** The maximum number of queued names. */
const QUEUE_LIMIT = 1_000;

/** Time limits in milliseconds. */
export interface LookupQueueTimes {
  /** How long an unanswered look-up counts as one of the concurrent ones. */
  readonly slot: number;
  /** How long a name may be queued before it is refused. */
  readonly queue: number;
}

/** The counters of a queue. */
export interface LookupQueueCounts {
  /** Look-ups started. */
  readonly lookups: number;
  /** Look-ups refused, because too many others are unanswered. */
  readonly refused: number;
  /** Look-ups that are running. */
  readonly underWay: number;
  /** Running look-ups that have been unanswered for a while. */
  readonly unanswered: number;
  /** Names in the queue. */
  readonly queued: number;
}

/** Options of {@linkcode LookupQueue}. */
export interface LookupQueueOptions {
  /** The look-up function; by default the system's resolver. */
  readonly ask?: ((name: string) => Promise<readonly string[]>) | undefined;
  /** Time limits. */
  readonly times: LookupQueueTimes;
}

const tasks = new TaskScope("looking up a name", {
  consequence: "waiting connects time out",
});

/** Looks up names, a few at a time. */
export class LookupQueue {
  readonly #ask: (name: string) => Promise<readonly string[]>;
  readonly #times: LookupQueueTimes;
  readonly #queues: Readonly<Record<LookupPriority, Set<() => void>>> = {
    answered: new Set(),
    new: new Set(),
    unanswered: new Set(),
  };
  #lookups = 0;
  #refused = 0;
  #underWay = 0;
  #unanswered = 0;

  /** An empty queue. */
  constructor({ ask, times }: LookupQueueOptions) {
    const threads = new LookupThreads();
    this.#ask = ask ?? ((name) => threads.ask(name));
    this.#times = times;
  }

  /** The counters. */
  get counts(): LookupQueueCounts {
    return {
      lookups: this.#lookups,
      refused: this.#refused,
      underWay: this.#underWay,
      unanswered: this.#unanswered,
      queued: this.#queued,
    };
  }

  /**
   * Queues a name, and looks it up.
   * @throws {Error} with the system's `code` or {@linkcode TOO_MANY_LOOKUPS}
   */
  async lookUp(name: string, priority: LookupPriority): Promise<readonly string[]> {
    const turn = this.#turn(priority);
    if (turn) await turn;
    let isUnanswered = false;
    const late = setTimeout(
      tasks.guard(() => {
        isUnanswered = true;
        this.#unanswered++;
        this.#next();
      }),
      this.#times.slot,
    );
    try {
      return await this.#ask(name);
    } finally {
      clearTimeout(late);
      this.#underWay--;
      if (isUnanswered) this.#unanswered--;
      this.#next();
    }
  }

  /**
   * Resolves when a look-up of this priority may start, and counts it as running; `undefined` if it may
   * start now.
   */
  #turn(priority: LookupPriority): Promise<void> | undefined {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const queue = this.#queues[priority];
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

  /** Starts queued look-ups while there is capacity. */
  #next(): void {
    for (const [priority, threads] of PRIORITIES) {
      for (const begin of this.#queues[priority]) {
        if (this.#underWay - this.#unanswered >= MAX_CONCURRENT || this.#underWay >= threads) break;
        this.#queues[priority].delete(begin);
        this.#underWay++;
        this.#lookups++;
        begin();
      }
    }
  }

  #refusal(): Error {
    this.#refused++;
    const text = `${this.#unanswered} look-ups wait for name servers that do not answer`;
    return Object.assign(new Error(text), { code: TOO_MANY_LOOKUPS });
  }

  get #queued(): number {
    return Object.values(this.#queues).reduce((sum, { size }) => sum + size, 0);
  }
}
