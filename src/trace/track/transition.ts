/**
 * How a segment moves both ends of a connection.
 *
 * @module
 */
import { type End, type Flow, isSource } from "./flow.ts";
import type { Mark } from "./segment_history.ts";
import { ACK, FIN, RST, type Segment, SYN } from "../decode/segment.ts";
import { advanced, distance } from "../decode/sequence.ts";
import type { State } from "./state.ts";

/** Half the wrap of a half: farther away than this, a sequence number has nothing to do with the flow. */
const FAR = 0x40000000;
const MOST_GAPS = 16;

/**
 * Moves both ends of a flow by one segment, after RFC 9293, sections 3.5, 3.6 and 3.10.7, and says
 * what is remarkable about it.
 *
 * Whoever watches the wire does not see the sockets: an end is moved by what it sends, and by an
 * acknowledgement or a reset that it is sent; a segment that it could not have accepted is ignored.
 */
export function advance(flow: Flow, segment: Segment): Mark {
  const end = senderOf(flow, segment);
  flow.lastAt = segment.at;
  end.segments += 1;
  if ((segment.flags & (SYN | FIN)) !== 0 || segment.length > 0) end.sending += 1;
  if ((segment.flags & RST) !== 0) return takeReset(flow, segment, end);
  if ((segment.flags & SYN) !== 0) {
    return (segment.flags & ACK) === 0
      ? takeSyn(flow, segment, end)
      : takeSynAck(flow, segment, end);
  }
  return takeOrdinary(flow, segment, end);
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

function takeSyn(flow: Flow, segment: Segment, end: End): Mark {
  const mark = noteSyn(segment, end);
  if (mark === "again") return mark;
  end.state = "SYN_SENT";
  if (end.peer.hasIsn) flow.isSimultaneous = true;
  return mark;
}

/** Remembers the ISN, and each repetition of it. */
function noteSyn(segment: Segment, end: End): Mark {
  const isAgain = end.hasIsn && end.isn === segment.seq;
  if (isAgain) {
    end.resent += 1;
    if (end.synGaps.length < MOST_GAPS) end.synGaps = [...end.synGaps, segment.at - end.lastSynAt];
  } else {
    const { options, flags } = segment;
    end.hasIsn = end.hasNext = true;
    end.isn = segment.seq;
    end.next = advanced(segment.seq, 1 + segment.length);
    end.bytes = segment.length;
    end.offered = { flags, options };
    end.windowScale = options.windowScale ?? 0;
  }
  end.syns += 1;
  end.lastSynAt = segment.at;
  return isAgain ? "again" : "";
}

function takeSynAck(flow: Flow, segment: Segment, end: End): Mark {
  const { peer } = end;
  if (flow.isPartial && !peer.hasIsn) adoptIsn(peer, advanced(segment.ack, -1));
  if (!acknowledgesSyn(peer, segment.ack)) return "ignored";
  const isOther = end.hasIsn && end.isn !== segment.seq;
  if (isOther && (flow.establishedAt !== undefined || flow.isSimultaneous)) return "ignored";

  const mark = noteSyn(segment, end);
  noteAck(end, segment);
  flow.answeredAt ??= segment.at;
  if (flow.isSimultaneous) {
    end.state = "SYN_RECV";
    if (peer.state === "SYN_RECV") establish(flow, segment.at);
  } else if (flow.establishedAt === undefined) {
    end.state = "SYN_RECV";
  } else if (!end.hasSentData) {
    flow.synAckRetransmits += 1;
    end.state = "SYN_RECV";
  }
  return mark;
}

function adoptIsn(end: End, isn: number): void {
  end.hasIsn = end.hasNext = true;
  end.isn = isn;
  end.next = advanced(isn, 1);
  end.state = "SYN_SENT";
}

/** RFC 9293, section 3.10.7.3: ISS < SEG.ACK =< SND.NXT; data in the SYN may be acknowledged or not. */
function acknowledgesSyn(end: End, ack: number): boolean {
  return end.hasIsn && distance(end.isn, ack) > 0 && distance(ack, end.next) >= 0;
}

function takeReset(flow: Flow, segment: Segment, end: End): Mark {
  if (!isAcceptableReset(flow, segment, end)) return "ignored";
  flow.resetBy = end.role;
  flow.closedBy ??= end.role;
  flow.finishedAt = segment.at;
  end.state = end.peer.state = "CLOSED";
  return "";
}

/** RFC 9293, section 3.10.7: in SYN_SENT by its acknowledgement, later by the window. */
function isAcceptableReset(flow: Flow, segment: Segment, end: End): boolean {
  const { peer } = end;
  if (peer.state === "SYN_SENT" && !end.hasIsn && !flow.isPartial) {
    return (segment.flags & ACK) !== 0 && acknowledgesSyn(peer, segment.ack);
  }
  if (end.hasNext && segment.seq === end.next) return true;
  if (!peer.hasAcked) return flow.isPartial;
  const offset = distance(peer.acked, segment.seq);
  return offset >= 0 && offset <= peer.window * 2 ** peer.windowScale;
}

function takeOrdinary(flow: Flow, segment: Segment, end: End): Mark {
  if (end.hasNext && Math.abs(distance(end.next, segment.seq)) > FAR) return "ignored";
  if (flow.establishedAt === undefined && !flow.isPartial && !completes(flow, segment, end)) {
    return "ignored";
  }
  if (end.state === "SYN_RECV") end.state = "ESTABLISHED";
  if (end.peer.state === "SYN_RECV" && isHeeded(flow)) end.peer.state = "ESTABLISHED";
  end.hasSentData = true;
  const mark = takePayload(segment, end);
  noteAck(end, segment);
  if ((segment.flags & ACK) !== 0) takeAck(flow, end);
  if ((segment.flags & FIN) !== 0 && !end.hasFin) takeFin(flow, segment, end);
  if (end.isFinAcked && end.peer.isFinAcked) finish(flow, segment.at);
  return mark;
}

/** Whether the segment completes the handshake, which it then does. */
function completes(flow: Flow, segment: Segment, end: End): boolean {
  const { peer } = end;
  if ((segment.flags & ACK) === 0 || !end.hasIsn) return false;
  if (distance(end.isn, segment.seq) <= 0) return false;
  const answersSynAck = peer.state === "SYN_RECV" && acknowledgesSyn(peer, segment.ack);
  // An end in SYN_SENT answers everything but a SYN with a reset, so one that sends an ACK has seen
  // the SYN+ACK; and one in SYN_RECV does not send data before it has seen the ACK.
  const provesSynAck = end.role === "client" && !peer.hasIsn;
  const provesAck = end.state === "SYN_RECV" && segment.length > 0;
  if (!answersSynAck && !provesSynAck && !provesAck) return false;
  flow.isHandshakeIncomplete = !answersSynAck;
  establish(flow, segment.at);
  return true;
}

/**
 * Whether another ACK may be believed to be taken. One may have been lost behind us; after two, the
 * server's accept queue is full, or it waits for data before it accepts.
 */
function isHeeded({ synAckRetransmits: unheededAcks }: Flow): boolean {
  return unheededAcks < 2;
}

function establish(flow: Flow, at: number): void {
  flow.establishedAt ??= at;
  flow.client.state = flow.server.state = "ESTABLISHED";
}

function takePayload(segment: Segment, end: End): Mark {
  const isFin = (segment.flags & FIN) !== 0;
  const span = segment.length + (isFin ? 1 : 0);
  const behind = end.hasNext ? distance(segment.seq, end.next) : 0;
  // RFC 9293, section 3.8.4: the byte before the next one, with or without its content.
  if (behind === 1 && segment.length <= 1 && !isFin && !end.hasFin && end.peer.acked === end.next) {
    end.keepAlives += 1;
    return "keep-alive";
  }
  if (span === 0) {
    if (!end.hasNext) adoptNext(end, segment.seq);
    return "";
  }
  if (behind >= span) {
    end.resent += 1;
    return "again";
  }
  end.bytes += segment.length - Math.max(0, behind);
  adoptNext(end, advanced(segment.seq, span));
  return "";
}

function adoptNext(end: End, next: number): void {
  end.hasNext = true;
  end.next = next;
}

function noteAck(end: End, segment: Segment): void {
  end.window = segment.window;
  if ((segment.flags & ACK) === 0) return;
  if (!end.hasAcked || distance(end.acked, segment.ack) > 0) end.acked = segment.ack;
  end.hasAcked = true;
  const { peer } = end;
  // What it acknowledges was sent, even where the capture has missed it.
  const unseen = peer.hasNext ? distance(peer.next, segment.ack) : 0;
  if (unseen > 0 && unseen < FAR && !peer.hasFin) peer.next = segment.ack;
}

function takeAck(flow: Flow, end: End): void {
  const { peer } = end;
  if (!peer.hasFin || peer.isFinAcked || distance(peer.fin, end.acked) <= 0) return;
  peer.isFinAcked = true;
  if (flow.isPartial) return;
  peer.state = afterFinAcknowledged(peer.state);
  end.state = afterFinReceived(end.state);
}

function takeFin(flow: Flow, segment: Segment, end: End): void {
  end.hasFin = true;
  end.fin = advanced(segment.seq, segment.length);
  flow.closedBy ??= end.role;
  if (end.peer.hasFin && !end.peer.isFinAcked) flow.isSimultaneousClose = true;
  if (!flow.isPartial) end.state = end.state === "CLOSE_WAIT" ? "LAST_ACK" : "FIN_WAIT1";
}

function finish(flow: Flow, at: number): void {
  flow.finishedAt = at;
  if (!flow.isPartial) return;
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
