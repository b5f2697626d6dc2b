/**
 * The same segment seen twice: a capture on all interfaces shows what passes a bridge once for each side.
 *
 * @module
 */
import type { End } from "./flow.ts";
import type { Segment } from "../decode/segment.ts";

/** The least time in which TCP sends a segment again, in milliseconds: a twin that comes sooner is an echo. */
const LEAST_RETRANSMISSION = 200;

/** Whether the end sent just this a moment ago, and it was seen on another interface then. */
export function isDuplicate({ last }: End, segment: Segment): boolean {
  if (last === undefined || last.interface === segment.interface) return false;
  return last.seq === segment.seq && last.ack === segment.ack && last.flags === segment.flags &&
    last.length === segment.length && segment.at - last.at < LEAST_RETRANSMISSION;
}

/** Notes what the end sent last, where the capture tells interfaces apart. */
export function recordLast(end: End, segment: Segment): void {
  if (segment.interface === 0) return;
  const last = end.last ??= { seq: 0, ack: 0, flags: 0, length: 0, at: 0, interface: 0 };
  last.seq = segment.seq;
  last.ack = segment.ack;
  last.flags = segment.flags;
  last.length = segment.length;
  last.at = segment.at;
  last.interface = segment.interface;
}
