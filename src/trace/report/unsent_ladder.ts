/**
 * The ladder of an attempt of which nothing was on the wire: that is its diagnosis.
 *
 * @module
 */
import { formatElapsed } from "./elapsed.ts";
import type { Ladder } from "./ladder.ts";

/** An attempt whose SYN did not leave, and why. */
export interface UnsentAttempt {
  /** The address and port it asked for. */
  readonly server: string;
  /** When it began. */
  readonly startedAt: Date;
  /** How many milliseconds it took to fail. */
  readonly took: number;
  /** Why its SYN did not leave. */
  readonly cause: string;
  /** What to look at. */
  readonly next: string;
}

/** Draws an attempt of which nothing was on the wire. */
export function unsentLadder({ server, startedAt, took, cause, next }: UnsentAttempt): Ladder {
  return {
    client: "client",
    server: `server ${server}`,
    when: startedAt.toISOString(),
    rungs: [{
      elapsed: formatElapsed(took),
      direction: "none",
      label: "nothing was on the wire",
      tone: "failure",
      clientState: "CLOSED",
      serverState: "?",
    }],
    offers: [],
    notes: [],
    diagnosis: { outcome: "unsent", words: `No SYN left this machine: ${cause}.`, next },
  };
}
