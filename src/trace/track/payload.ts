/**
 * What a segment carries and what it acknowledges.
 *
 * @module
 */
import type { End, Flow } from "./flow.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import { recordAcknowledged, type RecordedRange, recordRange } from "./sequence_space.ts";
import { ACK, FIN, type Segment } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";

/** Half the wrap of a half: farther away than this, a sequence number has nothing to do with the flow. */
const MAX_DISTANCE = 0x40000000;

/** Segments that left one after the other arrive at least so close together, in milliseconds. */
const MIN_REORDERING_DELAY = 3;

/** Notes what a segment carries, each byte once. */
export function handlePayload(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const isFin = (segment.flags & FIN) !== 0;
  const span = segment.length + (isFin ? 1 : 0);
  const probe = isFin || segment.length > 1 ? "" : detectProbe(segment, end);
  if (probe === "keep-alive") end.keepAlives += 1;
  if (probe === "window-probe") end.windowProbes += 1;
  if (span === 0) {
    if (!end.hasNextSeq) {
      end.hasNextSeq = true;
      end.firstSeq = end.nextSeq = segment.seq;
    }
    return probe;
  }
  const covered = recordRange(end, { seq: segment.seq, length: span, time: segment.time });
  const isFreshFin = isFin && !end.hasFin && covered.newLength > 0;
  end.bytes += covered.newLength - (isFreshFin ? 1 : 0);
  return probe || analyse(flow, end, { segment, covered });
}

/** RFC 9293, sections 3.8.4 and 3.8.6.1: the byte before the next one, or, into a closed window, the next. */
function detectProbe({ seq, length }: Segment, end: End): "keep-alive" | "window-probe" | "" {
  const { peer } = end;
  if (!end.hasNextSeq || end.hasFin || !peer.hasAcked) return "";
  const behind = distance(seq, end.nextSeq);
  if (peer.window === 0) {
    return behind === 1 || (behind === 0 && length === 1) ? "window-probe" : "";
  }
  return behind === 1 && peer.highestAck === end.nextSeq ? "keep-alive" : "";
}

function analyse(
  flow: Flow,
  end: End,
  { segment, covered }: { segment: Segment; covered: RecordedRange },
): SegmentAnalysis {
  const { newLength, gap } = covered;
  if (newLength === 0) {
    end.retransmissions += 1;
    return "retransmission";
  }
  if (gap === undefined) return "";
  if (gap.isAcknowledged) {
    flow.isReordered = true;
    return "";
  }
  end.outOfOrder += 1;
  const roundTrip = (flow.establishedAt ?? 0) - (flow.synAt ?? flow.establishedAt ?? 0);
  const isMoment = segment.time - gap.time <= Math.max(MIN_REORDERING_DELAY, roundTrip);
  return isMoment ? "out-of-order" : "fills-gap";
}

/** Notes what the end acknowledges and which window it offers. */
export function recordAck(flow: Flow, segment: Segment, end: End): void {
  end.window = segment.window;
  if ((segment.flags & ACK) === 0) return;
  if (!end.hasAcked || distance(end.highestAck, segment.ack) > 0) end.highestAck = segment.ack;
  end.hasAcked = true;
  const { peer } = end;
  // What it acknowledges was sent, even where the capture has missed it.
  const unseen = peer.hasNextSeq ? distance(peer.nextSeq, segment.ack) : 0;
  if (unseen <= 0 || unseen >= MAX_DISTANCE || peer.hasFin) return;
  recordAcknowledged(peer, segment.ack, flow.lastAt);
}

/** Whether the segment is so far from what the end has sent that it is of another connection. */
export function isOutOfRange(end: End, { seq }: Segment): boolean {
  return end.hasNextSeq && Math.abs(distance(end.nextSeq, seq)) > MAX_DISTANCE;
}
