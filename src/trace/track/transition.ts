/**
 * How a segment moves both ends of a connection.
 *
 * @module
 */
import {
  finish,
  isReviving,
  revive,
  takeAckOfFin,
  takeFin,
  takeLate,
  takeReset,
} from "./closing.ts";
import { type End, type Flow, isSource } from "./flow.ts";
import { completes, takeStray, takeSyn, takeSynAck } from "./handshake.ts";
import { isFar, noteAck, takePayload } from "./payload.ts";
import type { Mark } from "./segment_history.ts";
import { ACK, FIN, RST, type Segment, SYN } from "../decode/segment.ts";

/**
 * Moves both ends of a flow by one segment, after RFC 9293, sections 3.5, 3.6 and 3.10.7, and says
 * what is remarkable about it.
 *
 * Whoever watches the wire does not see the sockets: an end is moved by what it sends, and by an
 * acknowledgement or a reset that it is sent; a segment that it could not have accepted is ignored.
 */
export function advance(flow: Flow, segment: Segment, end: End): Mark {
  const { flags } = segment;
  flow.lastAt = segment.at;
  if (!segment.isRest) {
    end.segments += 1;
    if ((flags & (SYN | FIN)) !== 0 || segment.length > 0) end.sending += 1;
  }
  if (flow.finishedAt !== undefined) {
    if (!isReviving(flow, segment, end)) return takeLate(flow, segment, end);
    revive(flow);
  }
  if ((flags & RST) !== 0) return takeReset(flow, segment, end);
  if (end.hopLimit === 0) end.hopLimit = segment.hopLimit;
  if ((flags & SYN) !== 0) {
    return (flags & ACK) === 0 ? takeSyn(flow, segment, end) : takeSynAck(flow, segment, end);
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

function takeOrdinary(flow: Flow, segment: Segment, end: End): Mark {
  if (isFar(end, segment)) return flow.hasStates ? takeStray(flow, segment, end) : "ignored";
  const isOpen = flow.establishedAt !== undefined || !flow.hasStates;
  if (!isOpen && !completes(flow, segment, end)) return takeStray(flow, segment, end);
  if (end.state === "SYN_RECV") end.state = "ESTABLISHED";
  if (end.peer.state === "SYN_RECV" && isHeeded(flow)) end.peer.state = "ESTABLISHED";
  end.hasSentData = true;
  const mark = takePayload(flow, segment, end);
  noteAck(flow, segment, end);
  if ((segment.flags & ACK) !== 0) takeAckOfFin(flow, end);
  if ((segment.flags & FIN) !== 0 && !end.hasFin) takeFin(flow, segment, end);
  if (end.isFinAcked && end.peer.isFinAcked) finish(flow, segment.at);
  return mark;
}

/**
 * Whether another ACK may be believed to be taken. One may have been lost behind us; after two, the
 * server's accept queue is full, or it waits for data before it accepts.
 */
function isHeeded({ synAckRetransmits }: Flow): boolean {
  return synAckRetransmits < 2;
}
