/**
 * The accept loop. It survives every error of `accept(2)`.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { ACCEPT_TURN, type Listener } from "../transport/listen.ts";
import type { ByteStream } from "../transport/stream.ts";

/** The receiver of accepted connections. */
export interface Acceptor {
  /**
   * Resolves when the next connection may be accepted. Until then, connections wait in the
   * kernel's accept queue.
   */
  ready(): Promise<void> | undefined;
  /** Takes over an accepted socket. It must not block. */
  take(socket: ByteStream): void;
  /** Called when accepting failed; the loop pauses for `pause` milliseconds. */
  onFault(error: unknown, pause: number): void;
}

/** Options of {@linkcode acceptAll}. */
export interface AcceptOptions extends Acceptor {
  /** Ends the loop once the listener is closed. */
  readonly signal: AbortSignal;
}

/** The pause after a failed accept, in milliseconds. It doubles from `first` to `last`. */
const PAUSE = { first: 10, last: 500 };

/** Accepts until the signal is aborted. It never rejects, and pauses after errors. */
export async function acceptAll(listener: Listener, options: AcceptOptions): Promise<void> {
  const { signal } = options;
  const budget = new TurnBudget(ACCEPT_TURN);
  let pause = 0;
  while (!signal.aborted) {
    const turn = budget.spend();
    if (turn) await turn;
    try {
      await options.ready();
      if (signal.aborted) return;
      options.take(await listener.accept());
      pause = 0;
    } catch (error) {
      if (signal.aborted) return;
      pause = isGone(error) ? 0 : Math.min(Math.max(pause * 2, PAUSE.first), PAUSE.last);
      options.onFault(error, pause);
      if (pause > 0) await delay(pause, { signal }).catch(() => {});
    }
  }
}

/** Whether the client reset the connection before it was accepted, which is no reason to pause. */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}
