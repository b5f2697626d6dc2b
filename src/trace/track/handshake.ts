/**
 * The three-way handshake (RFC 9293, 3.5 and 3.10.7).
 *
 * @module
 */
import type { End } from "./end.ts";
import type { Flow } from "./flow.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import { recordAck } from "./payload.ts";
import { MIN_RTO } from "./retransmission_timers.ts";
import { recordRange, startSequence } from "./sequence_space.ts";
import { ACK, type Segment } from "../decode/segment.ts";
import { advance, distance } from "../decode/sequence.ts";

/** Maximum number of SYN intervals recorded. */
const MAX_SYN_INTERVALS = 16;
/** Maximum number of unacknowledged SYN+ACK ISNs recorded. */
const MAX_OTHER_SYN_ACKS = 4;

/** Handles a SYN. */
export function handleSyn(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  if (end.hasIsn) return handleSynRetransmission(segment, end);
  recordIsn(segment, end);
  if (flow.isPartial) return handleLateSyn(flow, segment, end);
  if (end.role === "client") flow.synAt ??= segment.time;
  end.state = "SYN_SENT";
  if (end.peer.hasIsn) flow.isSimultaneous = true;
  return "";
}

/** Handles a SYN captured after its SYN+ACK: reordered by the capture, or a retransmission. */
function handleLateSyn(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  if (segment.time - end.peer.lastSynAt >= MIN_RTO) {
    end.retransmissions += 1;
    return "retransmission";
  }
  flow.isPartial = false;
  flow.isReordered = true;
  flow.synAt = segment.time;
  return "";
}

/** Whether the flow began with the SYN+ACK that answers this SYN. */
export function matchesEarlierSynAck(
  flow: Flow,
  { seq, length, flags, time }: Segment,
): boolean {
  const { client, server } = flow;
  if (!flow.isPartial || !server.hasSynAck || client.hasIsn || (flags & ACK) !== 0) return false;
  const isClose = client.segments === 0 || time - server.lastSynAt < MIN_RTO;
  const covered = distance(seq, client.firstSeq);
  return isClose && covered > 0 && covered <= 1 + length;
}

function recordIsn(segment: Segment, end: End): void {
  const { options, flags, length, time } = segment;
  const first = advance(segment.seq, 1);
  if (!end.hasNextSeq) startSequence(end, first);
  if (length > 0) end.bytes += recordRange(end, { seq: first, length, time }).newLength;
  end.hasIsn = true;
  end.isn = segment.seq;
  end.synPayload = length;
  end.syn = { flags, options };
  end.windowScale = options.windowScale;
  countSyn(segment, end);
}

function handleSynRetransmission(segment: Segment, end: End): SegmentAnalysis {
  end.retransmissions += 1;
  if (end.synIntervals.length < MAX_SYN_INTERVALS) {
    end.synIntervals = [...end.synIntervals, segment.time - end.lastSynAt];
  }
  countSyn(segment, end);
  return "retransmission";
}

function countSyn(segment: Segment, end: End): void {
  end.syns += 1;
  end.lastSynAt = segment.time;
}

/** Handles a SYN+ACK. */
export function handleSynAck(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const { peer } = end;
  if (!peer.hasIsn && flow.isPartial && !peer.hasNextSeq) {
    // The SYN may have carried data, so its ISN is unknown.
    startSequence(peer, segment.ack);
    if (peer.segments === 0) peer.state = "SYN_SENT";
  } else if (!acknowledgesSyn(peer, segment.ack)) {
    return handleStray(flow, segment, end);
  }
  if (end.hasIsn && end.isn !== segment.seq) return handleOtherSynAck(flow, segment.seq);

  const isFirst = !end.hasSynAck;
  if (peer.hasIsn) peer.synPayloadAcked = distance(peer.isn, segment.ack) - 1;
  const analysis = recordSynAck(segment, end);
  recordAck(flow, segment, end);
  flow.synAckAt ??= segment.time;
  if (flow.isSimultaneous) {
    if (flow.establishedAt === undefined) end.state = "SYN_RECV";
    if (peer.state === "SYN_RECV") establish(flow, segment.time);
  } else if (flow.establishedAt === undefined) {
    end.state = "SYN_RECV";
  } else if (isFirst) {
    // The client's ACK was captured before this SYN+ACK.
    flow.isReordered = true;
    flow.isHandshakeIncomplete = false;
  } else if (!end.hasSentData) {
    flow.synAckRetransmits += 1;
    end.state = "SYN_RECV";
  }
  return analysis;
}

/**
 * In a simultaneous open, the first SYN+ACK is no retransmission of the SYN (RFC 9293, figure 7).
 */
function recordSynAck(segment: Segment, end: End): SegmentAnalysis {
  const isSecondStep = end.hasIsn && !end.hasSynAck;
  end.hasSynAck = true;
  if (isSecondStep) return "";
  if (end.hasIsn) return handleSynRetransmission(segment, end);
  recordIsn(segment, end);
  return "";
}

function handleOtherSynAck(flow: Flow, isn: number): SegmentAnalysis {
  if (!flow.otherSynAckIsns.includes(isn) && flow.otherSynAckIsns.length < MAX_OTHER_SYN_ACKS) {
    flow.otherSynAckIsns = [...flow.otherSynAckIsns, isn];
  }
  return "other-syn-ack";
}

/** Records a segment that answers another SYN on the same ports. */
export function handleStray(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const isAnswer = end.role === "server" && flow.establishedAt === undefined && !flow.isPartial;
  if (!isAnswer) return "ignored";
  flow.strayAnswers += 1;
  flow.strayAck = segment.ack;
  flow.strayFlags = segment.flags;
  return "stray";
}

/** Whether `ack` acknowledges the end's SYN: ISS < SEG.ACK =< SND.NXT (RFC 9293, 3.10.7.3). */
export function acknowledgesSyn(end: End, ack: number): boolean {
  if (!end.hasIsn) return end.hasNextSeq && end.nextSeq === ack;
  return distance(end.isn, ack) > 0 && distance(ack, end.nextSeq) >= 0;
}

/** Completes the handshake if the segment proves that it is complete; returns whether it did. */
export function completesHandshake(flow: Flow, segment: Segment, end: End): boolean {
  const { peer } = end;
  if ((segment.flags & ACK) === 0 || !end.hasNextSeq) return false;
  if (end.hasIsn && distance(end.isn, segment.seq) <= 0) return false;
  if (peer.state === "SYN_RECV") selectAcknowledgedSynAck(flow, segment, peer);
  const answersSynAck = peer.state === "SYN_RECV" && acknowledgesSyn(peer, segment.ack);
  // A client that sends an ACK has received a SYN+ACK; a server that sends data has received the
  // ACK.
  const provesSynAck = end.role === "client" && end.hasIsn && !peer.hasIsn;
  const provesAck = end.state === "SYN_RECV" && segment.length > 0;
  if (!answersSynAck && !provesSynAck && !provesAck) return false;
  flow.isHandshakeIncomplete = !answersSynAck;
  establish(flow, segment.time);
  return true;
}

/** Of several SYN+ACKs, selects the one that the client acknowledges. */
function selectAcknowledgedSynAck(flow: Flow, { ack }: Segment, answering: End): void {
  const isn = advance(ack, -1);
  if (isn === answering.isn || !flow.otherSynAckIsns.includes(isn)) return;
  flow.otherSynAckIsns = [...flow.otherSynAckIsns.filter((other) => other !== isn), answering.isn];
  answering.isn = isn;
  answering.firstSeq = answering.nextSeq = ack;
  answering.gaps = undefined;
  answering.bytes = answering.synPayload = 0;
}

function establish(flow: Flow, time: number): void {
  flow.establishedAt ??= time;
  flow.client.state = flow.server.state = "ESTABLISHED";
}
