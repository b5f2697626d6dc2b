/**
 * State transitions of both ends.
 *
 * @module
 */
import {
  continuesAfterReset,
  finishFlow,
  handleAckOfFin,
  handleFin,
  handleLate,
  handleReset,
  undoReset,
} from "./closing.ts";
import type { End } from "./end.ts";
import { type Flow, isSource } from "./flow.ts";
import { completesHandshake, handleStray, handleSyn, handleSynAck } from "./handshake.ts";
import { handlePayload, isOutOfRange, recordAck } from "./payload.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import { ACK, FIN, RST, type Segment, SYN } from "../decode/segment.ts";

/**
 * Applies one segment to both ends of a flow (RFC 9293, 3.5, 3.6 and 3.10.7) and returns its
 * analysis.
 *
 * A capture shows no sockets: an end changes state by what it sends, or by an ACK or RST sent to it
 * that it must accept. Segments that are not acceptable are ignored.
 */
export function handleSegment(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const { flags } = segment;
  flow.lastAt = segment.time;
  if (!segment.isRemainder) {
    end.segments += 1;
    if ((flags & (SYN | FIN)) !== 0 || segment.length > 0) end.nonEmptySegments += 1;
  }
  if (flow.finishedAt !== undefined) {
    if (!continuesAfterReset(flow, segment, end)) return handleLate(flow, segment, end);
    undoReset(flow);
  }
  if ((flags & RST) !== 0) return handleReset(flow, segment, end);
  if (end.hopLimit === 0) end.hopLimit = segment.hopLimit;
  if ((flags & SYN) !== 0) {
    return (flags & ACK) === 0 ? handleSyn(flow, segment, end) : handleSynAck(flow, segment, end);
  }
  return handleOrdinary(flow, segment, end);
}

/** The end that sent the segment. */
export function senderOf(flow: Flow, segment: Segment): End {
  const fromClient = isSource(flow.client, segment);
  // For a socket connected to itself, the addresses do not tell the direction.
  if (fromClient && (segment.flags & (SYN | ACK)) === (SYN | ACK) && flow.isToItself) {
    return flow.server;
  }
  return fromClient ? flow.client : flow.server;
}

function handleOrdinary(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  if (isOutOfRange(end, segment)) {
    return flow.hasStates ? handleStray(flow, segment, end) : "ignored";
  }
  const isOpen = flow.establishedAt !== undefined || !flow.hasStates;
  if (!isOpen && !completesHandshake(flow, segment, end)) return handleStray(flow, segment, end);
  if (end.state === "SYN_RECV") end.state = "ESTABLISHED";
  if (end.peer.state === "SYN_RECV" && mayBeReceived(flow)) end.peer.state = "ESTABLISHED";
  end.hasSentData = true;
  const analysis = handlePayload(flow, segment, end);
  recordAck(flow, segment, end);
  if ((segment.flags & ACK) !== 0) handleAckOfFin(flow, end);
  if ((segment.flags & FIN) !== 0 && !end.hasFin) handleFin(flow, segment, end);
  if (end.isFinAcked && end.peer.isFinAcked) finishFlow(flow, segment.time);
  return analysis;
}

/**
 * Whether an ACK may be assumed to have been received. One may be lost after the capture point;
 * after two SYN+ACK retransmissions, the accept queue is full, or TCP_DEFER_ACCEPT waits for data.
 */
function mayBeReceived({ synAckRetransmits }: Flow): boolean {
  return synAckRetransmits < 2;
}
