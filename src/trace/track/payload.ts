/**
 * What a segment carries and what it acknowledges.
 *
 * @module
 */
import type { End, Flow } from "./flow.ts";
import type { Mark } from "./segment_history.ts";
import { cover, coverAcknowledged, type Covered } from "./sequence_space.ts";
import { ACK, FIN, type Segment } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";

/** Half the wrap of a half: farther away than this, a sequence number has nothing to do with the flow. */
const FAR = 0x40000000;

/** Segments that left one after the other arrive at least so close together, in milliseconds. */
const LEAST_OVERTAKING = 3;

/** Notes what a segment carries, each byte once. */
export function takePayload(flow: Flow, segment: Segment, end: End): Mark {
  const isFin = (segment.flags & FIN) !== 0;
  const span = segment.length + (isFin ? 1 : 0);
  const probe = isFin || segment.length > 1 ? "" : probeOf(segment, end);
  if (probe === "keep-alive") end.keepAlives += 1;
  if (probe === "window-probe") end.windowProbes += 1;
  if (span === 0) {
    if (!end.hasNext) {
      end.hasNext = true;
      end.first = end.next = segment.seq;
    }
    return probe;
  }
  const covered = cover(end, { seq: segment.seq, span, at: segment.at });
  const isFreshFin = isFin && !end.hasFin && covered.fresh > 0;
  end.bytes += covered.fresh - (isFreshFin ? 1 : 0);
  return probe || markOf(flow, end, { segment, covered });
}

/** RFC 9293, sections 3.8.4 and 3.8.6.1: the byte before the next one, or, into a closed window, the next. */
function probeOf({ seq, length }: Segment, end: End): "keep-alive" | "window-probe" | "" {
  const { peer } = end;
  if (!end.hasNext || end.hasFin || !peer.hasAcked) return "";
  const behind = distance(seq, end.next);
  if (peer.window === 0) {
    return behind === 1 || (behind === 0 && length === 1) ? "window-probe" : "";
  }
  return behind === 1 && peer.acked === end.next ? "keep-alive" : "";
}

function markOf(
  flow: Flow,
  end: End,
  { segment, covered }: { segment: Segment; covered: Covered },
): Mark {
  const { fresh, gap } = covered;
  if (fresh === 0) {
    end.resent += 1;
    return "again";
  }
  if (gap === undefined) return "";
  if (gap.isAcknowledged) {
    flow.isReordered = true;
    return "";
  }
  end.outOfOrder += 1;
  const roundTrip = (flow.establishedAt ?? 0) - (flow.askedAt ?? flow.establishedAt ?? 0);
  const isMoment = segment.at - gap.at <= Math.max(LEAST_OVERTAKING, roundTrip);
  return isMoment ? "overtaken" : "fills-gap";
}

/** Notes what the end acknowledges and which window it offers. */
export function noteAck(flow: Flow, segment: Segment, end: End): void {
  end.window = segment.window;
  if ((segment.flags & ACK) === 0) return;
  if (!end.hasAcked || distance(end.acked, segment.ack) > 0) end.acked = segment.ack;
  end.hasAcked = true;
  const { peer } = end;
  // What it acknowledges was sent, even where the capture has missed it.
  const unseen = peer.hasNext ? distance(peer.next, segment.ack) : 0;
  if (unseen <= 0 || unseen >= FAR || peer.hasFin) return;
  coverAcknowledged(peer, segment.ack, flow.lastAt);
}

/** Whether the segment is so far from what the end has sent that it is of another connection. */
export function isFar(end: End, { seq }: Segment): boolean {
  return end.hasNext && Math.abs(distance(end.next, seq)) > FAR;
}
