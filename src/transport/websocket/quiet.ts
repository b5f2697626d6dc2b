/**
 * Waits until nothing more is received.
 *
 * @module
 */
import { delay } from "@std/async/delay";

/** How long nothing may have been received, in milliseconds. */
const QUIET = 500;

/** What is waited for. */
export interface Quiet {
  /** How often something was received. */
  readonly reads: number;
  /** Whether the peer has ended. */
  readonly hasEnded: boolean;
}

/** Resolves when nothing was received for a while, the peer has ended, or the signal is aborted. */
export async function untilQuiet(stream: Quiet, signal: AbortSignal): Promise<void> {
  for (let before = -1; before !== stream.reads && !stream.hasEnded && !signal.aborted;) {
    before = stream.reads;
    await delay(QUIET, { signal }).catch(() => {});
  }
}
