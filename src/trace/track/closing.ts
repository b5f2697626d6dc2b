/**
 * Closing and resetting connections (RFC 9293, 3.6 and 3.10.7; RFC 1337).
 *
 * @module
 */
import type { End } from "./end.ts";
import type { Flow } from "./flow.ts";
import { acknowledgesSyn, handleStray } from "./handshake.ts";
import { fingerprintOf } from "./host_fingerprints.ts";
import { handlePayload } from "./payload.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import { ACK, RST, type Segment, SYN } from "../decode/segment.ts";
import { advance, distance } from "../decode/sequence.ts";
import type { State } from "./state.ts";

/** Handles a RST. */
export function handleReset(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  if (!isAcceptableReset(flow, segment, end)) {
    const isForOldConnection = flow.strayAnswers > 0 && end.role === "client" &&
      segment.seq === flow.strayAck;
    // It resets the old connection, not this attempt (RFC 9293, figure 9).
    if (isForOldConnection) return "stray";
    return flow.hasStates && end.peer.state === "SYN_SENT"
      ? handleStray(flow, segment, end)
      : "ignored";
  }
  const { seq, window } = segment;
  const fingerprint = fingerprintOf(segment);
  flow.reset = { by: end.role, seq, peerNextSeq: end.peer.nextSeq, fingerprint, window };
  flow.closedBy ??= end.role;
  flow.finishedAt = segment.time;
  end.state = end.peer.state = "CLOSED";
  return "";
}

/**
 * Whether a RST is acceptable: in SYN_SENT by its ACK, otherwise by the window (RFC 9293, 3.10.7).
 */
function isAcceptableReset(flow: Flow, segment: Segment, end: End): boolean {
  const { peer } = end;
  if (peer.state === "SYN_SENT" && !end.hasIsn && !flow.isPartial) {
    return (segment.flags & ACK) !== 0 && acknowledgesSyn(peer, segment.ack);
  }
  if (end.hasNextSeq && segment.seq === end.nextSeq) return true;
  if (!peer.hasAcked) return flow.isPartial;
  const offset = distance(peer.highestAck, segment.seq);
  return offset >= 0 && offset <= peer.scaledWindow;
}

/** Records that the peer's FIN was acknowledged, if it was. */
export function handleAckOfFin(flow: Flow, end: End): void {
  const { peer } = end;
  if (!peer.hasFin || peer.isFinAcked || distance(peer.finSeq, end.highestAck) <= 0) return;
  peer.isFinAcked = true;
  if (!flow.hasStates) return;
  peer.state = afterFinAcknowledged(peer.state);
  end.state = afterFinReceived(end.state);
}

/** Handles the first FIN of an end. */
export function handleFin(flow: Flow, segment: Segment, end: End): void {
  end.hasFin = true;
  end.finSeq = advance(segment.seq, segment.length);
  flow.closedBy ??= end.role;
  if (end.peer.hasFin && !end.peer.isFinAcked) flow.isSimultaneousClose = true;
  if (flow.hasStates) end.state = end.state === "CLOSE_WAIT" ? "LAST_ACK" : "FIN_WAIT1";
}

/** Finishes a flow when both FINs are acknowledged. */
export function finishFlow(flow: Flow, time: number): void {
  flow.finishedAt = time;
  if (flow.hasStates) return;
  const closer = flow.closedBy === "client" ? flow.client : flow.server;
  closer.state = "TIME_WAIT";
  closer.peer.state = flow.isSimultaneousClose ? "TIME_WAIT" : "CLOSED";
}

function afterFinAcknowledged(state: State): State {
  if (state === "FIN_WAIT1") return "FIN_WAIT2";
  if (state === "CLOSING") return "TIME_WAIT";
  return state === "LAST_ACK" ? "CLOSED" : state;
}

function afterFinReceived(state: State): State {
  if (state === "ESTABLISHED") return "CLOSE_WAIT";
  if (state === "FIN_WAIT1") return "CLOSING";
  return state === "FIN_WAIT2" ? "TIME_WAIT" : state;
}

/** Handles a segment after the end of the connection. */
export function handleLate(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  flow.late += 1;
  const { flags } = segment;
  if ((flags & RST) !== 0) return handleLateReset(flow, segment, end);
  if ((flags & SYN) !== 0) {
    const isAnswer = (flags & ACK) !== 0 && acknowledgesSyn(end.peer, segment.ack);
    if (isAnswer && flow.synAckAt === undefined) flow.hasSynAckAfterReset = true;
    return "late";
  }
  return handlePayload(flow, segment, end) === "retransmission" ? "retransmission" : "late";
}

/** A RST ends TIME_WAIT (RFC 1337, "TIME-WAIT assassination"). */
function handleLateReset(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const { peer } = end;
  if (peer.state !== "TIME_WAIT" || segment.seq !== peer.highestAck) return "late";
  peer.state = "CLOSED";
  flow.timeWaitResetBy = end.role;
  return "";
}

/**
 * Whether the segment proves that both ends continue after a RST, which was then forged or lost: it
 * acknowledges data sent after the RST.
 */
export function continuesAfterReset(
  { reset, establishedAt }: Flow,
  segment: Segment,
  end: End,
): boolean {
  if (reset === undefined || establishedAt === undefined) return false;
  if ((segment.flags & (SYN | RST)) !== 0 || (segment.flags & ACK) === 0) return false;
  const limit = reset.by === end.role ? reset.peerNextSeq : reset.seq;
  return distance(limit, segment.ack) > 0;
}

/** Reopens a flow after a RST that had no effect. */
export function undoReset(flow: Flow): void {
  flow.reset = flow.closedBy = flow.finishedAt = undefined;
  flow.hasIgnoredReset = true;
  for (const end of [flow.client, flow.server]) {
    end.state = "ESTABLISHED";
    if (end.hasFin) flow.closedBy ??= end.role;
  }
}
