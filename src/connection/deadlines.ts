/**
 * Deadlines of connections without a cost on the byte path: one timer compares the byte counters
 * of all connections now and then.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { DeadlineWatch, type PassedTimes, type TimedConversation } from "./deadline_watch.ts";

/** Deadlines in milliseconds. 0 or `undefined` means no deadline. */
export interface Deadlines {
  /** No byte is received or sent. A write that the peer does not take does not count as sent. */
  readonly idle?: number | undefined;
  /** The age of the connection. */
  readonly lifetime?: number | undefined;
  /**
   * The peer takes nothing of a pending write, or the upstream or program takes nothing of what
   * the peer sent.
   */
  readonly write?: number | undefined;
  /** The connection is half-closed, and no byte is received or sent. */
  readonly fin?: number | undefined;
}

/** The end reason of each deadline. */
const REASONS = [
  ["idle", "idle"],
  ["lifetime", "lifetime"],
  ["write", "write timeout"],
  ["fin", "fin timeout"],
] as const;

const tasks = new TaskScope("checking deadlines", {
  consequence: "they are checked at the next tick",
});

/** Checks per shortest deadline, and the bounds of the period in milliseconds. */
const CHECKS = 10;
const PERIOD = { shortest: 10, longest: 1_000 };

/** Checks in one turn of the event loop, and how many checks closing a connection counts as. */
const TURN = { units: 1_024 };
const CLOSE_COST = 8;

/** A sweep that comes after this many periods is late: the process was stopped or busy. */
const LATE = 2;

/** Closes connections that are over a deadline. Its timer only runs while there are connections. */
export class Sweeper {
  readonly #deadlines: Deadlines;
  /** The shortest deadline of a pending write in milliseconds. */
  readonly #deadline: number;
  /** The period in milliseconds; `undefined` without a deadline. */
  readonly #period: number | undefined;
  /** The state of each connection at the last sweep; most connections end before the first one. */
  readonly #watches = new Map<TimedConversation, DeadlineWatch | undefined>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #sweptAt = 0;
  #missed = 0;
  #isSweeping = false;

  /** A sweeper with these deadlines for all its connections. */
  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
    const shortest = Math.min(...Object.values(deadlines).map((time) => time || Infinity));
    this.#deadline = Math.min(deadlines.write || Infinity, deadlines.idle || Infinity);
    this.#period = shortest === Infinity
      ? undefined
      : Math.min(Math.max(shortest / CHECKS, PERIOD.shortest), PERIOD.longest);
  }

  /** Watches a connection until disposed. */
  watch(connection: TimedConversation): Disposable {
    if (this.#period === undefined) return { [Symbol.dispose]: () => {} };
    this.#watches.set(connection, undefined);
    this.#timer ??= this.#begin(this.#period);
    return { [Symbol.dispose]: () => this.#forget(connection) };
  }

  /**
   * Checks every connection, in turns of the event loop. `now` is on the clock of
   * `performance.now()`. A call during a sweep does nothing.
   */
  async sweep(now: number): Promise<void> {
    this.#missed += this.#missedSince(now);
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const missed = this.#missed;
    this.#missed = 0;
    const offset = now - performance.now();
    const budget = new TurnBudget(TURN);
    try {
      for (const [connection, watch = new DeadlineWatch(connection)] of this.#watches) {
        this.#watches.set(connection, watch);
        this.#enforce(connection, watch.check(now, { missed, deadline: this.#deadline }));
        const turn = budget.spend(connection.isClosed ? CLOSE_COST : 1);
        if (!turn) continue;
        await turn;
        now = performance.now() + offset;
      }
    } finally {
      this.#isSweeping = false;
    }
  }

  /** Closes a connection if one of these times, in milliseconds, is over its deadline. */
  #enforce(connection: TimedConversation, passed: PassedTimes): void {
    if (passed.sink >= (this.#deadlines.write || Infinity)) {
      connection.reset(`${connection.sink!.name} write timeout`);
      return;
    }
    for (const [name, reason] of REASONS) {
      if (passed[name] < (this.#deadlines[name] || Infinity)) continue;
      connection.close(reason);
      return;
    }
  }

  #begin(period: number): ReturnType<typeof setInterval> {
    this.#sweptAt = performance.now();
    return setInterval(tasks.guard(() => this.sweep(performance.now())), period);
  }

  /**
   * Milliseconds during which the process was stopped or busy. They do not count against the peers.
   */
  #missedSince(now: number): number {
    const passed = now - this.#sweptAt;
    this.#sweptAt = now;
    return passed > this.#period! * LATE ? passed - this.#period! : 0;
  }

  #forget(connection: TimedConversation): void {
    this.#watches.delete(connection);
    if (this.#watches.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
