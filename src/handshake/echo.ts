/**
 * The same segment seen twice: a capture on all interfaces shows what passes a bridge once for each side.
 *
 * @module
 */
import type { End } from "./flow.ts";
import type { Segment } from "./segment.ts";

/** The least time in which TCP sends a segment again, in milliseconds: a twin that comes sooner is an echo. */
const LEAST_RETRANSMISSION = 200;

/** Whether the end sent just this a moment ago, and it was seen on another interface then. */
export function isEcho({ last }: End, segment: Segment): boolean {
  return last.interface !== segment.interface && last.seq === segment.seq &&
    last.ack === segment.ack && last.flags === segment.flags && last.length === segment.length &&
    segment.at - last.at < LEAST_RETRANSMISSION;
}

/** Notes what the end sent last. */
export function remember({ last }: End, segment: Segment): void {
  last.interface = segment.interface;
  last.seq = segment.seq;
  last.ack = segment.ack;
  last.flags = segment.flags;
  last.length = segment.length;
  last.at = segment.at;
}
