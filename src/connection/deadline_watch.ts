/**
 * Measures for how long each kind of progress on a connection has been missing.
 *
 * @module
 */
import type { Conversation } from "./conversation.ts";
import type { EndReason } from "./end_reason.ts";
import type { Sink } from "./observers.ts";

/** The kinds of progress that are timed. */
const CLOCKS = ["idle", "write", "fin", "sink"] as const;

/**
 * How long each kind of progress has been missing, and the age of the connection, in milliseconds.
 */
export interface PassedTimes {
  /** No byte was received or sent. */
  readonly idle: number;
  /** The age of the connection. */
  readonly lifetime: number;
  /** The peer took no byte of a pending write. */
  readonly write: number;
  /** The connection is half-closed, and no byte was received or sent. */
  readonly fin: number;
  /** The upstream or program took no byte of a pending write. */
  readonly sink: number;
}

/** Options of {@linkcode DeadlineWatch.check}. */
export interface CheckOptions {
  /** How long the process was stopped or busy since the last check, in milliseconds. */
  readonly missed: number;
  /**
   * The shortest deadline of a pending write in milliseconds. The kernel's send queue is read after
   * half of it and after all of it.
   */
  readonly deadline: number;
}

/** A conversation whose progress is timed. */
export type TimedConversation =
  & Pick<
    Conversation,
    "openedAt" | "bytesIn" | "bytesOut" | "sink" | "isClosed" | "close"
  >
  & Sink
  & {
    /** Whether at least one side has ended its half. */
    readonly halfClosed: boolean;
    /** Datagrams received and sent, which may be empty. */
    readonly datagrams?: number;
    /** Aborts it. */
    reset(reason: EndReason): void;
  };

/** The state of a connection at its last check. */
export class DeadlineWatch {
  readonly #connection: TimedConversation;
  readonly #client = new SendQueueWatch();
  readonly #sink = new SendQueueWatch();
  #bytesIn = 0;
  #bytesOut = 0;
  #datagrams = 0;
  #passedOn = 0;
  /** When each clock started. A clock restarts on progress. */
  readonly #since: Record<typeof CLOCKS[number], number>;

  /** Starts with the state of a new connection. */
  constructor(connection: TimedConversation) {
    this.#connection = connection;
    const { openedAt } = connection;
    this.#since = { idle: openedAt, write: openedAt, fin: openedAt, sink: openedAt };
  }

  /**
   * Checks the connection. Returns the elapsed times without what was missed; the age includes it.
   */
  check(now: number, { missed, deadline }: CheckOptions): PassedTimes {
    const { bytesIn, bytesOut, writing, halfClosed, openedAt, sink, datagrams = 0 } =
      this.#connection;
    const since = this.#since;
    for (const clock of CLOCKS) since[clock] = Math.min(since[clock] + missed, now);
    const hasWritten = bytesOut !== this.#bytesOut;
    if (hasWritten || !writing) this.#client.reset();
    const taken = hasWritten ||
      writing && this.#client.hasMoved(this.#connection, (now - since.write) / deadline);
    const hasProgress = taken || bytesIn !== this.#bytesIn || datagrams !== this.#datagrams;
    this.#datagrams = datagrams;
    this.#bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    if (hasProgress) since.idle = now;
    if (taken || !writing) since.write = now;
    if (hasProgress || !halfClosed) since.fin = now;
    if (this.#hasPassedOn(sink?.flow, (now - since.sink) / deadline)) since.sink = now;
    return {
      idle: now - since.idle,
      lifetime: now - openedAt,
      write: now - since.write,
      fin: now - since.fin,
      sink: now - since.sink,
    };
  }

  /** Whether received bytes were passed on, or none is pending. */
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
 * Detects whether a peer reads while a write is pending: the kernel accepts more only when a third
 * of its buffer is free, which takes a slow reader minutes with a buffer of megabytes.
 */
class SendQueueWatch {
  #before: number | undefined;

  /** Restarts with the next write. */
  reset(): void {
    this.#before = undefined;
  }

  /**
   * Whether the peer has acknowledged bytes since the last check. Asking the kernel is expensive,
   * so it happens only when half of the time has passed (`waited` is the fraction) and when all of
   * it has.
   */
  hasMoved(flow: Pick<Sink, "unacknowledged">, waited: number): boolean {
    if (waited < (this.#before === undefined ? 0.5 : 1)) return false;
    const before = this.#before;
    const now = this.#before = flow.unacknowledged;
    return before !== undefined && now !== undefined && now !== before;
  }
}
