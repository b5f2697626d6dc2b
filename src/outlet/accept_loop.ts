/**
 * The accept loop: one client after the other, through whatever the system puts in its way.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { ACCEPT_TURN, type Listener } from "../transport/listen.ts";
import type { ByteStream } from "../transport/stream.ts";

/** What the loop hands clients to, and asks. */
export interface Acceptor {
  /** Resolves when another client may be accepted; until then, clients wait in the kernel's queue. */
  ready(): Promise<void> | undefined;
  /** Takes over a client's socket; must not wait. */
  take(socket: ByteStream): void;
  /** Told that the system gave no socket, and for how many milliseconds the loop pauses because of it. */
  onFault(error: unknown, pause: number): void;
}

/** How the loop is run. */
export interface AcceptOptions extends Acceptor {
  /** Ends the loop once the listener is closed. */
  readonly signal: AbortSignal;
}

/** The pause after a fault of the system, in milliseconds; it doubles from the first to the last. */
const PAUSE = { first: 10, last: 500 };

/** Accepts until the signal is aborted. Never rejects, and never spins: see {@linkcode Acceptor.onFault}. */
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

/** Whether the client was gone before it was accepted: its own doing, and no reason to pause. */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}
