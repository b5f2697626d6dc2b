/**
 * How a segment moves both ends of a connection.
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
import { type End, type Flow, isSource } from "./flow.ts";
import { completesHandshake, handleStray, handleSyn, handleSynAck } from "./handshake.ts";
import { handlePayload, isOutOfRange, recordAck } from "./payload.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import { ACK, FIN, RST, type Segment, SYN } from "../decode/segment.ts";

/**
 * Moves both ends of a flow by one segment, after RFC 9293, sections 3.5, 3.6 and 3.10.7, and says
 * what is remarkable about it.
 *
 * Whoever watches the wire does not see the sockets: an end is moved by what it sends, and by an
 * acknowledgement or a reset that it is sent; a segment that it could not have accepted is ignored.
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
  // Between a socket and itself, addresses cannot tell who answers.
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
  const mark = handlePayload(flow, segment, end);
  recordAck(flow, segment, end);
  if ((segment.flags & ACK) !== 0) handleAckOfFin(flow, end);
  if ((segment.flags & FIN) !== 0 && !end.hasFin) handleFin(flow, segment, end);
  if (end.isFinAcked && end.peer.isFinAcked) finishFlow(flow, segment.time);
  return mark;
}

/**
 * Whether another ACK may be believed to be taken. One may have been lost behind us; after two, the
 * server's accept queue is full, or it waits for data before it accepts.
 */
function mayBeReceived({ synAckRetransmits }: Flow): boolean {
  return synAckRetransmits < 2;
}
