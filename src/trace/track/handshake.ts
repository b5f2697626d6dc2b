/**
 * How a SYN, a SYN+ACK and the ACK after it open a connection: RFC 9293, sections 3.5 and 3.10.7.
 *
 * @module
 */
import type { End, Flow } from "./flow.ts";
import type { SegmentAnalysis } from "./segment_history.ts";
import { recordAck } from "./payload.ts";
import { recordRange } from "./sequence_space.ts";
import { ACK, type Segment } from "../decode/segment.ts";
import { advance, distance } from "../decode/sequence.ts";

/** How many repetitions of a SYN are told with their times. */
const MAX_SYN_INTERVALS = 16;
/** How many SYN+ACKs that do not count are remembered with their ISNs. */
const MAX_OTHER_SYN_ACKS = 4;
/** A SYN that is captured so much after its SYN+ACK, in milliseconds, is not the one that it answered. */
const LEAST_RETRANSMISSION = 200;

/** Takes a SYN. */
export function handleSyn(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  if (end.hasIsn) return handleSynRetransmission(segment, end);
  recordIsn(segment, end);
  if (flow.isPartial) return handleLateSyn(flow, segment, end);
  if (end.role === "client") flow.synAt ??= segment.time;
  end.state = "SYN_SENT";
  if (end.peer.hasIsn) flow.isSimultaneous = true;
  return "";
}

/** Takes the SYN of a flow that began with its SYN+ACK: two queues of one interface, or a repetition. */
function handleLateSyn(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  if (segment.time - end.peer.lastSynAt >= LEAST_RETRANSMISSION) {
    end.retransmissions += 1;
    return "retransmission";
  }
  flow.isPartial = false;
  flow.isReordered = true;
  flow.synAt = segment.time;
  return "";
}

/** Whether the SYN is the one that the flow's SYN+ACK, captured before it, answers. */
export function matchesEarlierSynAck(
  flow: Flow,
  { seq, length, flags, time }: Segment,
): boolean {
  const { client, server } = flow;
  if (!flow.isPartial || !server.hasSynAck || client.hasIsn || (flags & ACK) !== 0) return false;
  const isClose = client.segments === 0 || time - server.lastSynAt < LEAST_RETRANSMISSION;
  const covered = distance(seq, client.firstSeq);
  return isClose && covered > 0 && covered <= 1 + length;
}

function recordIsn(segment: Segment, end: End): void {
  const { options, flags, length, time } = segment;
  const first = advance(segment.seq, 1);
  if (!end.hasNextSeq) {
    end.hasNextSeq = true;
    end.firstSeq = end.nextSeq = first;
  }
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

/** Takes a SYN+ACK. */
export function handleSynAck(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const { peer } = end;
  if (!peer.hasIsn && flow.isPartial && !peer.hasNextSeq) {
    // Its SYN may have carried data, which is acknowledged with it: j is not known.
    peer.hasNextSeq = true;
    peer.firstSeq = peer.nextSeq = segment.ack;
    if (peer.segments === 0) peer.state = "SYN_SENT";
  } else if (!acknowledgesSyn(peer, segment.ack)) {
    return handleStray(flow, segment, end);
  }
  if (end.hasIsn && end.isn !== segment.seq) return handleOtherSynAck(flow, segment.seq);

  const isFirst = !end.hasSynAck;
  if (peer.hasIsn) peer.synPayloadAcked = distance(peer.isn, segment.ack) - 1;
  const mark = recordSynAck(segment, end);
  recordAck(flow, segment, end);
  flow.synAckAt ??= segment.time;
  if (flow.isSimultaneous) {
    if (flow.establishedAt === undefined) end.state = "SYN_RECV";
    if (peer.state === "SYN_RECV") establish(flow, segment.time);
  } else if (flow.establishedAt === undefined) {
    end.state = "SYN_RECV";
  } else if (isFirst) {
    // Its ACK was captured before it.
    flow.isReordered = true;
    flow.isHandshakeIncomplete = false;
  } else if (!end.hasSentData) {
    flow.synAckRetransmits += 1;
    end.state = "SYN_RECV";
  }
  return mark;
}

/** In a simultaneous open, the SYN+ACK is the second step, not the SYN again (RFC 9293, figure 7). */
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

/** Notes a segment that answers another SYN than this flow's. */
export function handleStray(flow: Flow, segment: Segment, end: End): SegmentAnalysis {
  const isAnswer = end.role === "server" && flow.establishedAt === undefined && !flow.isPartial;
  if (!isAnswer) return "ignored";
  flow.strayAnswers += 1;
  flow.strayAck = segment.ack;
  flow.strayFlags = segment.flags;
  return "stray";
}

/** RFC 9293, section 3.10.7.3: ISS < SEG.ACK =< SND.NXT; data in the SYN may be acknowledged or not. */
export function acknowledgesSyn(end: End, ack: number): boolean {
  if (!end.hasIsn) return end.hasNextSeq && end.nextSeq === ack;
  return distance(end.isn, ack) > 0 && distance(ack, end.nextSeq) >= 0;
}

/** Whether the segment completes the handshake, which it then does. */
export function completesHandshake(flow: Flow, segment: Segment, end: End): boolean {
  const { peer } = end;
  if ((segment.flags & ACK) === 0 || !end.hasNextSeq) return false;
  if (end.hasIsn && distance(end.isn, segment.seq) <= 0) return false;
  if (peer.state === "SYN_RECV") selectAcknowledgedSynAck(flow, segment, peer);
  const answersSynAck = peer.state === "SYN_RECV" && acknowledgesSyn(peer, segment.ack);
  // An end in SYN_SENT answers everything but a SYN with a reset, so one that sends an ACK has seen
  // the SYN+ACK; and one in SYN_RECV does not send data before it has seen the ACK.
  const provesSynAck = end.role === "client" && end.hasIsn && !peer.hasIsn &&
    isNearNextSeq(segment, end);
  const provesAck = end.state === "SYN_RECV" && segment.length > 0;
  if (!answersSynAck && !provesSynAck && !provesAck) return false;
  flow.isHandshakeIncomplete = !answersSynAck;
  establish(flow, segment.time);
  return true;
}

/** Whether the segment is near enough to what the end has sent to be of this connection. */
function isNearNextSeq(segment: Segment, end: End): boolean {
  return Math.abs(distance(end.nextSeq, segment.seq)) < 0x40000000;
}

/** Of several SYN+ACKs that counts which the client acknowledges. */
function selectAcknowledgedSynAck(flow: Flow, { ack }: Segment, answering: End): void {
  const isn = advance(ack, -1);
  if (isn === answering.isn || !flow.otherSynAckIsns.includes(isn)) return;
  flow.otherSynAckIsns = [...flow.otherSynAckIsns.filter((other) => other !== isn), answering.isn];
  answering.isn = isn;
  answering.firstSeq = answering.nextSeq = ack;
  answering.gaps = undefined;
  answering.bytes = answering.synPayload = 0;
}

function establish(flow: Flow, at: number): void {
  flow.establishedAt ??= at;
  flow.client.state = flow.server.state = "ESTABLISHED";
}
