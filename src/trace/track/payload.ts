/**
 * Payload and acknowledgments.
 *
 * @module
 */
import type { End } from "./end.ts";
import type { Flow } from "./flow.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import {
  recordAcknowledged,
  type RecordedRange,
  recordRange,
  startSequence,
} from "./sequence_space.ts";
import { ACK, FIN, type Segment } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";

/** A sequence number farther away than this belongs to another connection. */
const MAX_DISTANCE = 0x40000000;

/** Out of order rather than a retransmission within this time, in milliseconds, as in Wireshark. */
const REORDERING_WINDOW = 3;

/** Records the segment's payload, each byte once, and returns its analysis. */
export function handlePayload(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const isFin = (segment.flags & FIN) !== 0;
  const span = segment.length + (isFin ? 1 : 0);
  const probe = isFin || segment.length > 1 ? "" : detectProbe(segment, end);
  if (probe === "keep-alive") end.keepAlives += 1;
  if (probe === "window-probe") end.windowProbes += 1;
  if (span === 0) {
    if (!end.hasNextSeq) startSequence(end, segment.seq);
    return probe;
  }
  const range = recordRange(end, { seq: segment.seq, length: span, time: segment.time });
  const isNewFin = isFin && !end.hasFin && range.newLength > 0;
  end.bytes += range.newLength - (isNewFin ? 1 : 0);
  return probe || analyse(flow, end, { segment, range });
}

/** Detects keep-alives (RFC 9293, 3.8.4) and zero-window probes (3.8.6.1). */
function detectProbe({ seq, length }: Segment, end: End): "keep-alive" | "window-probe" | "" {
  const { peer } = end;
  if (!end.hasNextSeq || end.hasFin || !peer.hasAcked) return "";
  const bytesBefore = distance(seq, end.nextSeq);
  if (peer.window === 0) {
    return bytesBefore === 1 || (bytesBefore === 0 && length === 1) ? "window-probe" : "";
  }
  return bytesBefore === 1 && peer.highestAck === end.nextSeq ? "keep-alive" : "";
}

function analyse(
  flow: Flow,
  end: End,
  { segment, range }: { segment: Segment; range: RecordedRange },
): SegmentAnalysis {
  const { newLength, gap } = range;
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
  const isWithinWindow = segment.time - gap.time <= Math.max(REORDERING_WINDOW, roundTrip);
  return isWithinWindow ? "out-of-order" : "fills-gap";
}

/** Records acknowledgment number and window. */
export function recordAck(flow: Flow, segment: Segment, end: End): void {
  end.window = segment.window;
  if ((segment.flags & ACK) === 0) return;
  if (!end.hasAcked || distance(end.highestAck, segment.ack) > 0) end.highestAck = segment.ack;
  end.hasAcked = true;
  const { peer } = end;
  // Acknowledged data was sent even if it was not captured.
  const unseen = peer.hasNextSeq ? distance(peer.nextSeq, segment.ack) : 0;
  if (unseen <= 0 || unseen >= MAX_DISTANCE || peer.hasFin) return;
  recordAcknowledged(peer, segment.ack, flow.lastAt);
}

/** Whether the sequence number is too far away to belong to this connection. */
export function isOutOfRange(end: End, { seq }: Segment): boolean {
  return end.hasNextSeq && Math.abs(distance(end.nextSeq, seq)) > MAX_DISTANCE;
}
