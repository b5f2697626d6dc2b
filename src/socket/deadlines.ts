/**
 * Deadlines of connections, without a cost on the byte path: the counters of all of them are looked at
 * now and then, by one timer, instead of a timer being wound up for every byte.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/** How long a connection may do what, in milliseconds; for ever, where it is not said or 0. */
export interface Deadlines {
  /** Nothing comes and nothing goes. A write that the peer does not take is nothing that goes. */
  readonly idle?: number | undefined;
  /** It lives. */
  readonly lifetime?: number | undefined;
  /** The peer takes nothing of what is being written. */
  readonly write?: number | undefined;
  /** One side has ended its half, and nothing comes or goes. */
  readonly fin?: number | undefined;
}

/** What the connection is hung up for, by deadline. */
const REASONS = {
  idle: "idle",
  lifetime: "lifetime",
  write: "write timeout",
  fin: "fin timeout",
} as const;

/** How often a connection is looked at within its shortest deadline, and the bounds of that, in ms. */
const LOOKS = 10;
const PERIOD = { shortest: 10, longest: 1_000 };

/** Hangs up on connections that are over their deadlines. Its timer runs only while it watches any. */
export class Sweeper {
  readonly #deadlines: Deadlines;
  readonly #watches = new Set<Watch>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** One set of deadlines for all the connections that it will watch. */
  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /** Watches the connection until disposed. */
  watch(connection: Connection): Disposable {
    const shortest = Math.min(...Object.values(this.#deadlines).map((time) => time || Infinity));
    if (shortest === Infinity) return { [Symbol.dispose]: () => {} };
    const watch = new Watch(connection);
    this.#watches.add(watch);
    this.#timer ??= setInterval(
      () => this.sweep(performance.now()),
      Math.min(Math.max(shortest / LOOKS, PERIOD.shortest), PERIOD.longest),
    );
    return { [Symbol.dispose]: () => this.#forget(watch) };
  }

  /** Looks at every connection, as its timer does now and then; `now` is on the clock of `performance.now()`. */
  sweep(now: number): void {
    for (const watch of this.#watches) {
      const passed = watch.look(now);
      for (const [name, reason] of Object.entries(REASONS)) {
        const deadline = name as keyof Deadlines;
        if (passed[deadline] >= (this.#deadlines[deadline] || Infinity)) {
          watch.connection.hangUp(reason);
          break;
        }
      }
    }
  }

  #forget(watch: Watch): void {
    this.#watches.delete(watch);
    if (this.#watches.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** One connection as it was when it was last looked at. */
class Watch {
  readonly connection: Connection;
  #bytesIn: number;
  #bytesOut: number;
  /** When each clock began to run; `idle`, `write` and `fin` begin anew whenever there is no cause. */
  #since: { idle: number; write: number; fin: number };

  constructor(connection: Connection) {
    this.connection = connection;
    this.#bytesIn = connection.bytesIn;
    this.#bytesOut = connection.bytesOut;
    const now = performance.now();
    this.#since = { idle: now, write: now, fin: now };
  }

  /** How long each clock has been running, in milliseconds. */
  look(now: number): Record<keyof Deadlines, number> {
    const { bytesIn, bytesOut, writing, halfClosed, openedAt } = this.connection;
    const taken = bytesOut !== this.#bytesOut;
    const moved = taken || bytesIn !== this.#bytesIn;
    this.#bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    const since = this.#since;
    if (moved) since.idle = now;
    if (taken || !writing) since.write = now;
    if (moved || !halfClosed) since.fin = now;
    return {
      idle: now - since.idle,
      lifetime: now - openedAt,
      write: now - since.write,
      fin: now - since.fin,
    };
  }
}
