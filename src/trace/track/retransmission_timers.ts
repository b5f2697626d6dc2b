/**
 * Retransmission timeouts of SYN and SYN+ACK.
 *
 * @module
 */
import type { Flow } from "./flow.ts";

/** Minimum retransmission timeout of Linux (TCP_RTO_MIN), in milliseconds. */
export const MIN_RTO = 200;

/** The retransmission interval doubles each time; half an interval is added as tolerance. */
const BACKOFF_FACTOR = 2.5;
/** Covers an initial timeout of three seconds (RFC 1122, 4.2.3.1), in milliseconds. */
const MIN_WAIT = 7500;

/** When the next SYN or SYN+ACK is overdue, in milliseconds since 1970. */
export function overdueAt({ client, server, origin, captureClock }: Flow): number {
  const gap = Math.max(client.synIntervals.at(-1) ?? 0, server.synIntervals.at(-1) ?? 0);
  return origin * 1000 + captureClock + Math.max(MIN_WAIT, gap * BACKOFF_FACTOR);
}
