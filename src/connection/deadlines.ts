/**
 * Deadlines of connections, without a cost on the byte path: the counters of all of them are looked at
 * now and then, by one timer, instead of a timer being wound up for every byte.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import type { Connection } from "./connection.ts";
import { DeadlineWatch, type PassedTimes } from "./deadline_watch.ts";

/** How long a connection may do what, in milliseconds; for ever, where it is not said or 0. */
export interface Deadlines {
  /** Nothing comes and nothing goes. A write that the peer does not take is nothing that goes. */
  readonly idle?: number | undefined;
  /** It lives. */
  readonly lifetime?: number | undefined;
  /** The peer takes nothing of what is being written; or who its bytes are passed on to takes nothing of those. */
  readonly write?: number | undefined;
  /** One side has ended its half, and nothing comes or goes. */
  readonly fin?: number | undefined;
}

/** What the connection is hung up for, by deadline. */
const REASONS = [
  ["idle", "idle"],
  ["lifetime", "lifetime"],
  ["write", "write timeout"],
  ["fin", "fin timeout"],
] as const;

const tasks = new TaskScope("looking after deadlines", {
  without: "they are looked after next time",
});

/** How often a connection is looked at within its shortest deadline, and the bounds of that, in ms. */
const LOOKS = 10;
const PERIOD = { shortest: 10, longest: 1_000 };

/** Connections that are looked at in one turn, and how many looks it is worth to close one. */
const TURN = { units: 1_024 };
const CLOSE_COST = 8;

/** A look that comes after so many periods comes late: the process stood still, and peers could not be heard. */
const LATE = 2;

/** Hangs up on connections that are over their deadlines. Its timer runs only while it watches any. */
export class Sweeper {
  readonly #deadlines: Deadlines;
  /** How long a peer may take nothing before the kernel is asked whether it does, in milliseconds. */
  readonly #patience: number;
  /** How often to look, in milliseconds; `undefined` where there is no deadline. */
  readonly #period: number | undefined;
  /** What a connection was like when it was last looked at. Most have gone before anybody looks. */
  readonly #watches = new Map<Connection, DeadlineWatch | undefined>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #sweptAt = 0;
  #missed = 0;
  #isSweeping = false;

  /** One set of deadlines for all the connections that it will watch. */
  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
    const shortest = Math.min(...Object.values(deadlines).map((time) => time || Infinity));
    this.#patience = Math.min(deadlines.write || Infinity, deadlines.idle || Infinity);
    this.#period = shortest === Infinity
      ? undefined
      : Math.min(Math.max(shortest / LOOKS, PERIOD.shortest), PERIOD.longest);
  }

  /** Watches the connection until disposed. */
  watch(connection: Connection): Disposable {
    if (this.#period === undefined) return { [Symbol.dispose]: () => {} };
    this.#watches.set(connection, undefined);
    this.#timer ??= this.#begin(this.#period);
    return { [Symbol.dispose]: () => this.#forget(connection) };
  }

  /**
   * Looks at every connection, as its timer does now and then, in turns of the event loop; `now` is on the clock of
   * `performance.now()`. While it still looks, it does not begin again.
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
        this.#enforce(connection, watch.look(now, { missed, patience: this.#patience }));
        const turn = budget.spend(connection.isClosed ? CLOSE_COST : 1);
        if (!turn) continue;
        await turn;
        now = performance.now() + offset;
      }
    } finally {
      this.#isSweeping = false;
    }
  }

  /** Closes a connection for which one of these times, in milliseconds, is over its deadline. */
  #enforce(connection: Connection, passed: PassedTimes): void {
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
   * For how long nobody could be heard, because the process was stopped or busy, in milliseconds: it counts against
   * no peer.
   */
  #missedSince(now: number): number {
    const passed = now - this.#sweptAt;
    this.#sweptAt = now;
    return passed > this.#period! * LATE ? passed - this.#period! : 0;
  }

  #forget(connection: Connection): void {
    this.#watches.delete(connection);
    if (this.#watches.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
