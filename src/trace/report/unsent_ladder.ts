/**
 * The ladder of an attempt whose SYN was not sent.
 *
 * @module
 */
import { formatElapsed } from "./elapsed.ts";
import type { Ladder } from "./ladder.ts";

/** An attempt whose SYN was not sent. */
export interface UnsentAttempt {
  /** Remote address and port. */
  readonly server: string;
  /** Start time. */
  readonly startedAt: Date;
  /** Duration in milliseconds. */
  readonly elapsed: number;
  /** Why the SYN was not sent. */
  readonly cause: string;
  /** What to check next. */
  readonly next: string;
}

/** Builds the ladder of an attempt whose SYN was not sent. */
export function unsentLadder({ server, startedAt, elapsed, cause, next }: UnsentAttempt): Ladder {
  return {
    client: "client",
    server: `server ${server}`,
    when: startedAt.toISOString(),
    rungs: [{
      elapsed: formatElapsed(elapsed),
      direction: "none",
      label: "nothing was on the wire",
      tone: "failure",
      clientState: "CLOSED",
      serverState: "?",
    }],
    offers: [],
    notes: [],
    diagnosis: { outcome: "unsent", text: `No SYN left this machine: ${cause}.`, next },
  };
}
