/**
 * How a SYN, a SYN+ACK and the ACK after it open a connection: RFC 9293, sections 3.5 and 3.10.7.
 *
 * @module
 */
import type { End, Flow } from "./flow.ts";
import type { Mark } from "./segment_history.ts";
import { noteAck } from "./payload.ts";
import { cover } from "./sequence_space.ts";
import { ACK, type Segment } from "../decode/segment.ts";
import { advanced, distance } from "../decode/sequence.ts";

/** How many repetitions of a SYN are told with their times. */
const MOST_GAPS = 16;
/** How many SYN+ACKs that do not count are remembered with their ISNs. */
const MOST_ANSWERS = 4;
/** A SYN that is captured so much after its SYN+ACK, in milliseconds, is not the one that it answered. */
const LEAST_RETRANSMISSION = 200;

/** Takes a SYN. */
export function takeSyn(flow: Flow, segment: Segment, end: End): Mark {
  if (end.hasIsn) return repeatSyn(segment, end);
  noteIsn(segment, end);
  if (flow.isPartial) return adoptLateSyn(flow, segment, end);
  if (end.role === "client") flow.askedAt ??= segment.at;
  end.state = "SYN_SENT";
  if (end.peer.hasIsn) flow.isSimultaneous = true;
  return "";
}

/** Takes the SYN of a flow that began with its SYN+ACK: two queues of one interface, or a repetition. */
function adoptLateSyn(flow: Flow, segment: Segment, end: End): Mark {
  if (segment.at - end.peer.lastSynAt >= LEAST_RETRANSMISSION) {
    end.resent += 1;
    return "again";
  }
  flow.isPartial = false;
  flow.isReordered = true;
  flow.askedAt = segment.at;
  return "";
}

/** Whether the SYN is the one that the flow's SYN+ACK, captured before it, answers. */
export function isAnsweredAlready(flow: Flow, { seq, length, flags, at }: Segment): boolean {
  const { client, server } = flow;
  if (!flow.isPartial || !server.hasSynAck || client.hasIsn || (flags & ACK) !== 0) return false;
  const isClose = client.segments === 0 || at - server.lastSynAt < LEAST_RETRANSMISSION;
  const covered = distance(seq, client.first);
  return isClose && covered > 0 && covered <= 1 + length;
}

function noteIsn(segment: Segment, end: End): void {
  const { options, flags, length, at } = segment;
  const first = advanced(segment.seq, 1);
  if (!end.hasNext) {
    end.hasNext = true;
    end.first = end.next = first;
  }
  if (length > 0) end.bytes += cover(end, { seq: first, span: length, at }).fresh;
  end.hasIsn = true;
  end.isn = segment.seq;
  end.synLength = length;
  end.offered = { flags, options };
  end.windowScale = options.windowScale;
  countSyn(segment, end);
}

function repeatSyn(segment: Segment, end: End): Mark {
  end.resent += 1;
  if (end.synGaps.length < MOST_GAPS) end.synGaps = [...end.synGaps, segment.at - end.lastSynAt];
  countSyn(segment, end);
  return "again";
}

function countSyn(segment: Segment, end: End): void {
  end.syns += 1;
  end.lastSynAt = segment.at;
}

/** Takes a SYN+ACK. */
export function takeSynAck(flow: Flow, segment: Segment, end: End): Mark {
  const { peer } = end;
  if (!peer.hasIsn && flow.isPartial && !peer.hasNext) {
    // Its SYN may have carried data, which is acknowledged with it: j is not known.
    peer.hasNext = true;
    peer.first = peer.next = segment.ack;
    if (peer.segments === 0) peer.state = "SYN_SENT";
  } else if (!acknowledgesSyn(peer, segment.ack)) {
    return takeStray(flow, segment, end);
  }
  if (end.hasIsn && end.isn !== segment.seq) return takeOtherAnswer(flow, segment.seq);

  const isFirst = !end.hasSynAck;
  if (peer.hasIsn) peer.synAcknowledged = distance(peer.isn, segment.ack) - 1;
  const mark = noteAnswer(segment, end);
  noteAck(flow, segment, end);
  flow.answeredAt ??= segment.at;
  if (flow.isSimultaneous) {
    if (flow.establishedAt === undefined) end.state = "SYN_RECV";
    if (peer.state === "SYN_RECV") establish(flow, segment.at);
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
function noteAnswer(segment: Segment, end: End): Mark {
  const isSecondStep = end.hasIsn && !end.hasSynAck;
  end.hasSynAck = true;
  if (isSecondStep) return "";
  if (end.hasIsn) return repeatSyn(segment, end);
  noteIsn(segment, end);
  return "";
}

function takeOtherAnswer(flow: Flow, isn: number): Mark {
  if (!flow.otherAnswers.includes(isn) && flow.otherAnswers.length < MOST_ANSWERS) {
    flow.otherAnswers = [...flow.otherAnswers, isn];
  }
  return "other-answer";
}

/** Notes a segment that answers another SYN than this flow's. */
export function takeStray(flow: Flow, segment: Segment, end: End): Mark {
  const isAnswer = end.role === "server" && flow.establishedAt === undefined && !flow.isPartial;
  if (!isAnswer) return "ignored";
  flow.strayAnswers += 1;
  flow.strayAck = segment.ack;
  flow.strayFlags = segment.flags;
  return "stray";
}

/** RFC 9293, section 3.10.7.3: ISS < SEG.ACK =< SND.NXT; data in the SYN may be acknowledged or not. */
export function acknowledgesSyn(end: End, ack: number): boolean {
  if (!end.hasIsn) return end.hasNext && end.next === ack;
  return distance(end.isn, ack) > 0 && distance(ack, end.next) >= 0;
}

/** Whether the segment completes the handshake, which it then does. */
export function completes(flow: Flow, segment: Segment, end: End): boolean {
  const { peer } = end;
  if ((segment.flags & ACK) === 0 || !end.hasNext) return false;
  if (end.hasIsn && distance(end.isn, segment.seq) <= 0) return false;
  if (peer.state === "SYN_RECV") adoptAcknowledgedAnswer(flow, segment, peer);
  const answersSynAck = peer.state === "SYN_RECV" && acknowledgesSyn(peer, segment.ack);
  // An end in SYN_SENT answers everything but a SYN with a reset, so one that sends an ACK has seen
  // the SYN+ACK; and one in SYN_RECV does not send data before it has seen the ACK.
  const provesSynAck = end.role === "client" && end.hasIsn && !peer.hasIsn && follows(segment, end);
  const provesAck = end.state === "SYN_RECV" && segment.length > 0;
  if (!answersSynAck && !provesSynAck && !provesAck) return false;
  flow.isHandshakeIncomplete = !answersSynAck;
  establish(flow, segment.at);
  return true;
}

/** Whether the segment is near enough to what the end has sent to be of this connection. */
function follows(segment: Segment, end: End): boolean {
  return Math.abs(distance(end.next, segment.seq)) < 0x40000000;
}

/** Of several SYN+ACKs that counts which the client acknowledges. */
function adoptAcknowledgedAnswer(flow: Flow, { ack }: Segment, answering: End): void {
  const isn = advanced(ack, -1);
  if (isn === answering.isn || !flow.otherAnswers.includes(isn)) return;
  flow.otherAnswers = [...flow.otherAnswers.filter((other) => other !== isn), answering.isn];
  answering.isn = isn;
  answering.first = answering.next = ack;
  answering.gaps = undefined;
  answering.bytes = answering.synLength = 0;
}

function establish(flow: Flow, at: number): void {
  flow.establishedAt ??= at;
  flow.client.state = flow.server.state = "ESTABLISHED";
}
