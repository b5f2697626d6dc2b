/**
 * Fairness on one event loop: whoever gets many units of work out of one read (lines, frames, datagrams, packets,
 * rows) does them in turns, and lets everybody else run in between.
 *
 * Awaiting a resolved promise is no turn: microtasks run before any other socket, timer or signal is looked at.
 *
 * @module
 */
import { TaskScope } from "./task_scope.ts";

const tasks = new TaskScope("giving turns", {
  without: "whoever waits for one waits for good",
});

/** How long a turn may last. */
export interface TurnLimits {
  /** Units of work in one turn. */
  readonly units?: number;
  /** Milliseconds of work in one turn. */
  readonly milliseconds?: number;
  /** After how many units the clock is read; the larger a unit of work, the more often it should be. */
  readonly clockEvery?: number;
}

/** A turn's length where it is not said otherwise. Reading the clock costs as much as a small unit of work. */
const TURN: Required<TurnLimits> = { units: 1_024, milliseconds: 10, clockEvery: 32 };

/** Counts the work of one task, and says when its turn is over. One for each task: it is not shared. */
export class TurnBudget {
  readonly #limits: Required<TurnLimits>;
  #spent = 0;
  #sinceClock = 0;
  #startedAt: number | undefined;

  /** A budget of which nothing is spent. */
  constructor(limits: TurnLimits = {}) {
    this.#limits = { ...TURN, ...limits };
  }

  /**
   * Counts work that was just done. While the turn lasts, nothing is returned, and nothing has to be awaited;
   * once it is over, a promise that resolves in a new turn of the event loop:
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

  /** Notes that work begins after a wait for something outside: what was waited is no work. */
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

/** Those who wait for their next turn, in the order in which they will get it. */
const waiting: (() => void)[] = [];

/**
 * Resolves in a new turn of the event loop: sockets, timers and signals that wait are seen to before it. Of many who
 * wait, each gets a turn of its own, in order: a thousand floods hold up everybody else no longer than one.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setTimeout(begin, 0);
  });
}

const begin = tasks.guard(() => {
  waiting.shift()!();
  if (waiting.length > 0) setTimeout(begin, 0);
});
