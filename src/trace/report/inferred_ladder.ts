/**
 * Ladders inferred from the result of connect, without a capture.
 *
 * @module
 */
import { formatElapsed } from "./elapsed.ts";
import type { Ladder, Rung } from "./ladder.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Outcome } from "./outcome.ts";

/** A connection attempt as the connecting program knows it. */
export interface Attempt {
  /** Local address and port, if it connected. */
  readonly client?: string;
  /** Remote address and port. */
  readonly server: string;
  /** Start time. */
  readonly startedAt: Date;
  /** Duration in milliseconds; unknown for accepted connections. */
  readonly elapsed?: number;
  /** Outcome. */
  readonly outcome: Extract<Outcome, "established" | "refused" | "unanswered" | "unreachable">;
}

/** Infers the ladder of an attempt from its outcome. */
export function inferLadder(attempt: Attempt): Ladder {
  const elapsed = attempt.elapsed === undefined ? "" : formatElapsed(attempt.elapsed);
  return {
    client: `client ${attempt.client ?? ""}`.trimEnd(),
    server: `server ${attempt.server}`,
    when: `${attempt.startedAt.toISOString()}, inferred from how it ended`,
    rungs: inferredRungs(attempt.outcome, elapsed),
    offers: [],
    notes: ["inferred: nothing was captured"],
    diagnosis: inferredDiagnosis(attempt.outcome, elapsed),
  };
}

function inferredRungs(outcome: Attempt["outcome"], elapsed: string): Rung[] {
  const syn = inferredRung("right", "SYN", ["0", "SYN_SENT", "?"]);
  switch (outcome) {
    case "established":
      return [
        syn,
        inferredRung("left", "SYN+ACK", ["", "SYN_SENT", "SYN_RECV"]),
        inferredRung("right", "ACK", [elapsed, "ESTABLISHED", "ESTABLISHED"]),
      ];
    case "refused":
      return [syn, inferredRung("left", "RST+ACK", [elapsed, "CLOSED", "CLOSED"])];
    // Only a capture shows whether the SYN was sent.
    case "unreachable":
      return [inferredRung("none", "unreachable", [elapsed, "CLOSED", "?"])];
    case "unanswered":
      return [inferredRung("none", "no answer", [elapsed, "CLOSED", "?"])];
  }
}

function inferredRung(
  direction: Rung["direction"],
  what: string,
  [elapsed, clientState, serverState]: [elapsed: string, client: string, server: string],
): Rung {
  const label = `${what} (inferred)`;
  return { elapsed, direction, label, tone: "inferred", clientState, serverState };
}

function inferredDiagnosis(outcome: Attempt["outcome"], elapsed: string): Diagnosis {
  const capture = "Allow outlet to capture to see the segments.";
  switch (outcome) {
    case "established":
      return {
        outcome,
        text: `Established${elapsed && ` in ${elapsed}`} (inferred).`,
        next: capture,
      };
    case "refused":
      return {
        outcome,
        text: `Refused after ${elapsed}: a reset answered the SYN (inferred).`,
        next:
          "Nothing listens on that port, or a firewall rejects, there or here; see there: ss -ltn",
      };
    case "unreachable":
      return {
        outcome,
        text: `Unreachable after ${elapsed}, as reported by the system.`,
        next: `Reported by a router, or nothing was sent. ${capture}`,
      };
    case "unanswered":
      return {
        outcome,
        text: `No answer for ${elapsed}.`,
        next:
          "Dropped by a firewall, there or here, the host is gone, or its accept queue is full. " +
          capture,
      };
  }
}
