/**
 * The severity of events.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";

/** Errors of accept(2) where the client has already disconnected. */
const DISCONNECTED = new Set(["ENOTCONN", "ECONNRESET", "ECONNABORTED"]);

/** The level of a log line. */
export type Level = "debug" | "info" | "warning" | "error";

/** The level of an event. */
export function levelOf(event: OutletEvent): Level {
  switch (event.event) {
    case "failed":
      // Clients that disconnect before they are accepted are normal.
      return DISCONNECTED.has(event.code ?? "") ? "debug" : "warning";
    case "refused":
    case "dropped":
    case "rejected":
    case "worker-restarted":
    case "trace-unavailable":
    case "bus-disconnected":
    case "bus-permission-denied":
    case "task-failed":
    case "library-output":
      return "warning";
    case "unexpected-error":
      return "error";
    case "reloading":
      return "debug";
    case "closed":
      return event.reason.startsWith("error") ? "warning" : "info";
    case "stopped":
      return event.aborted > 0 ? "warning" : "info";
    default:
      return "info";
  }
}
