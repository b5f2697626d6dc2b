/**
 * How long somebody who watches live waits before an attempt is told of as unanswered.
 *
 * @module
 */
import type { Flow } from "./flow.ts";

/** The next SYN would have come after twice the last gap. */
const BACKOFF_FACTOR = 2.5;
/** Some hosts begin with three seconds (RFC 1122, section 4.2.3.1). */
const MIN_WAIT = 7500;

/** When the next SYN or SYN+ACK of a handshake is overdue, in milliseconds since 1970. */
export function overdueAt({ client, server, origin, captureClock }: Flow): number {
  const gap = Math.max(client.synIntervals.at(-1) ?? 0, server.synIntervals.at(-1) ?? 0);
  return origin * 1000 + captureClock + Math.max(MIN_WAIT, gap * BACKOFF_FACTOR);
}
