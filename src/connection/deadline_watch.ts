/**
 * What has stood still on one connection, and for how long.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { Sink } from "./observers.ts";

/** What can stand still. */
const CLOCKS = ["idle", "write", "fin", "sink"] as const;

/** How long each has stood still, and how long the connection has lived, in milliseconds. */
export interface PassedTimes {
  /** Nothing came and nothing went. */
  readonly idle: number;
  /** It has been open. */
  readonly lifetime: number;
  /** The peer took nothing of what is being written. */
  readonly write: number;
  /** Nothing came and nothing went since one side has ended its half. */
  readonly fin: number;
  /** Who its bytes are passed on to took nothing of those. */
  readonly sink: number;
}

/** How a connection is looked at. */
export interface LookOptions {
  /** For how long nobody could be heard since the last look, in milliseconds. */
  readonly missed: number;
  /** How long a peer may take nothing before the kernel is asked whether it does, in milliseconds. */
  readonly patience: number;
}

/** One connection as it was when it was last looked at, and before that, when it was opened. */
export class DeadlineWatch {
  readonly #connection: Connection;
  readonly #client = new SendQueueWatch();
  readonly #sink = new SendQueueWatch();
  #bytesIn = 0;
  #bytesOut = 0;
  #passedOn = 0;
  /** When each clock began to run; they begin anew whenever there is no cause. */
  readonly #since: Record<typeof CLOCKS[number], number>;

  /** Watches a connection of which nothing has been seen yet. */
  constructor(connection: Connection) {
    this.#connection = connection;
    const { openedAt } = connection;
    this.#since = { idle: openedAt, write: openedAt, fin: openedAt, sink: openedAt };
  }

  /** How long each clock has been running, but for what was missed. A life goes on all the while. */
  look(now: number, { missed, patience }: LookOptions): PassedTimes {
    const { bytesIn, bytesOut, writing, halfClosed, openedAt, sink } = this.#connection;
    const since = this.#since;
    for (const clock of CLOCKS) since[clock] = Math.min(since[clock] + missed, now);
    const hasWritten = bytesOut !== this.#bytesOut;
    if (hasWritten || !writing) this.#client.reset();
    const taken = hasWritten ||
      writing && this.#client.hasMoved(this.#connection, (now - since.write) / patience);
    const moved = taken || bytesIn !== this.#bytesIn;
    this.#bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    if (moved) since.idle = now;
    if (taken || !writing) since.write = now;
    if (moved || !halfClosed) since.fin = now;
    if (this.#hasPassedOn(sink?.flow, (now - since.sink) / patience)) since.sink = now;
    return {
      idle: now - since.idle,
      lifetime: now - openedAt,
      write: now - since.write,
      fin: now - since.fin,
      sink: now - since.sink,
    };
  }

  /** Whether what the client sends was passed on, or nothing of it waits. */
  #hasPassedOn(flow: Sink | undefined, waited: number): boolean {
    const passedOn = flow?.bytesOut ?? 0;
    const isNew = passedOn !== this.#passedOn;
    this.#passedOn = passedOn;
    if (!isNew && flow?.writing) return this.#sink.hasMoved(flow, waited);
    this.#sink.reset();
    return true;
  }
}

/**
 * Sees a peer take what was written before, where the kernel has no room for more: a third of its buffer has to be free
 * for that, and with megabytes of it a slow reader needs minutes.
 */
class SendQueueWatch {
  #before: number | undefined;

  /** Forgets what it has seen. */
  reset(): void {
    this.#before = undefined;
  }

  /**
   * Whether the peer has taken bytes since this was asked last. To ask the kernel is costly: it happens when half of
   * the time has passed (`waited` is the share of it), and when all has.
   */
  hasMoved(flow: Pick<Sink, "unacknowledged">, waited: number): boolean {
    if (waited < (this.#before === undefined ? 0.5 : 1)) return false;
    const before = this.#before;
    const now = this.#before = flow.unacknowledged;
    return before !== undefined && now !== undefined && now !== before;
  }
}
