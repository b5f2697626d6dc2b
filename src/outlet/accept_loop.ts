/**
 * The accept loop. It continues after every error of `accept(2)`.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { ACCEPT_TURN, type Listener } from "../transport/listen.ts";
import type { ByteStream } from "../transport/stream.ts";

/** What is done with accepted connections. */
export interface AcceptHandler {
  /**
   * Resolves when the next connection may be accepted. Until then, connections wait in the
   * kernel's accept queue.
   */
  ready(): Promise<void> | undefined;
  /** Takes over an accepted connection. It returns at once: serving runs in the background. */
  onConnection(stream: ByteStream): void;
  /** Called when accepting failed. The loop continues after `pause` milliseconds. */
  onError(error: unknown, pause: number): void;
}

/** Options of {@linkcode acceptAll}. */
export interface AcceptOptions extends AcceptHandler {
  /** Ends the loop. A pending accept ends when the listener is closed. */
  readonly signal: AbortSignal;
}

/** The pause after a failed accept, in milliseconds. It doubles from `first` to `last`. */
const BACK_OFF = { first: 10, last: 500 };

/** Accepts connections until the signal is aborted. It never rejects. */
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
      options.onConnection(await listener.accept());
      pause = 0;
    } catch (error) {
      if (signal.aborted) return;
      pause = isResetBefore(error) ? 0 : nextPause(pause);
      options.onError(error, pause);
      if (pause > 0) await delay(pause, { signal }).catch(() => {});
    }
  }
}

function nextPause(pause: number): number {
  return Math.min(Math.max(pause * 2, BACK_OFF.first), BACK_OFF.last);
}

/**
 * Whether the client reset the connection before it was accepted. Other errors, such as a lack of
 * descriptors, would occur again at once.
 */
function isResetBefore(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}
