/**
 * Fairness between tasks on one event loop: work on many units from one read (lines, frames, packets, rows) is cut
 * into turns, between which other tasks run.
 *
 * Awaiting a resolved promise is not a turn: microtasks run before any other socket, timer or signal.
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "./task_scope.ts";

const tasks = new TaskScope("scheduling turns", {
  consequence: "tasks that wait for a turn do not continue",
});

/** The limits of a turn. */
export interface TurnLimits {
  /** The most units of work. */
  readonly units?: number;
  /** The longest time, in milliseconds. */
  readonly milliseconds?: number;
  /** How many units of work to do between readings of the clock; few, where a unit takes long. */
  readonly clockEvery?: number;
}

/** The default limits. Reading the clock costs as much as a small unit of work. */
const TURN: Required<TurnLimits> = { units: 1_024, milliseconds: 10, clockEvery: 32 };

/** The work that one task may do before it must yield, as in tokio's `coop`. Not shared between tasks. */
export class TurnBudget {
  readonly #limits: Required<TurnLimits>;
  #spent = 0;
  #sinceClock = 0;
  #startedAt: number | undefined;

  /** Starts with nothing spent. */
  constructor(limits: TurnLimits = {}) {
    this.#limits = { ...TURN, ...limits };
  }

  /**
   * Records finished work. Returns `undefined` within the budget; else a promise that resolves in a new turn of the
   * event loop:
   *
   * ```ts
   * for (const line of lines) {
   *   handle(line);
   *   const turn = budget.spend();
   *   if (turn) await turn;
   * }
   * ```
   */
  spend(units = 1): Promise<void> | undefined {
    this.#spent += units;
    this.#sinceClock += units;
    if (this.#spent < this.#limits.units && !this.#isLate()) return undefined;
    this.#spent = 0;
    this.#sinceClock = 0;
    this.#startedAt = undefined;
    return nextTurn();
  }

  /** Restarts the clock after a wait for I/O, which does not count as work. */
  begin(): void {
    this.#startedAt = undefined;
  }

  #isLate(): boolean {
    this.#startedAt ??= performance.now();
    if (this.#sinceClock < this.#limits.clockEvery) return false;
    this.#sinceClock = 0;
    return performance.now() - this.#startedAt >= this.#limits.milliseconds;
  }
}

/**
 * Calls a function for each item, in turns of the event loop. Promises that it returns are awaited together.
 *
 * @returns the results, in order
 */
export async function mapInTurns<T, R>(
  items: Iterable<T>,
  limits: TurnLimits,
  map: (item: T) => R | Promise<R>,
): Promise<Awaited<R>[]> {
  const budget = new TurnBudget(limits);
  const results: (R | Promise<R>)[] = [];
  for (const item of items) {
    const result = map(item);
    if (result instanceof Promise) handledElsewhere(result);
    results.push(result);
    const turn = budget.spend();
    if (turn) await turn;
  }
  return await Promise.all(results);
}

/** Resolvers of tasks that wait for a turn, in order. */
const waiting: (() => void)[] = [];

/**
 * Resolves in a new turn of the event loop, after pending sockets, timers and signals. Each waiting task gets a turn of
 * its own, in order, so that many busy tasks delay others no longer than one does.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setTimeout(runNext, 0);
  });
}

const runNext = tasks.guard(() => {
  waiting.shift()!();
  if (waiting.length > 0) setTimeout(runNext, 0);
});
