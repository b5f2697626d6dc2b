/**
 * Pings for WebSockets on which nothing is received: they keep connections through middleboxes alive,
 * and find dead peers. One timer serves all WebSockets of an outlet.
 *
 * @module
 */
import { TaskScope } from "../../scheduling/task_scope.ts";
import { TurnBudget } from "../../scheduling/turn_budget.ts";

const tasks = new TaskScope("WebSocket pings", { consequence: "dead peers are found later" });

/** WebSockets that are looked at in one turn of the event loop. */
const TURN = { units: 256 };

/** A tick that comes after this many intervals is late: the process was stopped or busy. */
const LATE = 1.5;

/** A WebSocket that is pinged. */
export interface Pinged {
  /** How often something was received. */
  readonly reads: number;
  /** Whether a read waits for the peer. */
  readonly isReading: boolean;
  /** Sends a ping. */
  ping(): void;
  /** Called if the peer has not answered. */
  expire(): void;
}

/** What is known of a WebSocket since the last tick. */
interface State {
  reads: number;
  isPinged: boolean;
}

/** Pings at an interval. The timer only runs while there are WebSockets. */
export class KeepAlive {
  readonly #interval: number;
  readonly #states = new Map<Pinged, State>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastTick = 0;

  /** An interval of 0 sends no pings. In milliseconds. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Pings this WebSocket until disposed. */
  watch(socket: Pinged): Disposable {
    if (this.#interval > 0) {
      this.#states.set(socket, { reads: socket.reads, isPinged: false });
      this.#timer ??= this.#begin();
    }
    return { [Symbol.dispose]: () => this.#forget(socket) };
  }

  #begin(): ReturnType<typeof setInterval> {
    this.#lastTick = performance.now();
    return setInterval(tasks.guard(() => this.tick(performance.now())), this.#interval);
  }

  /**
   * Pings each WebSocket on which nothing was received since the last tick, and ends those that were
   * pinged then. A peer is not late if nothing was read from it, or the process was stopped.
   */
  async tick(now: number): Promise<void> {
    const isLate = now - this.#lastTick > this.#interval * LATE;
    this.#lastTick = now;
    const budget = new TurnBudget(TURN);
    for (const [socket, state] of this.#states) {
      const isDead = state.isPinged && state.reads === socket.reads && socket.isReading && !isLate;
      if (isDead) socket.expire();
      else this.#look(socket, state);
      const turn = budget.spend();
      if (turn) await turn;
    }
  }

  #look(socket: Pinged, state: State): void {
    const isSilent = state.reads === socket.reads;
    state.reads = socket.reads;
    state.isPinged = isSilent;
    if (isSilent) socket.ping();
  }

  #forget(socket: Pinged): void {
    this.#states.delete(socket);
    if (this.#states.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
