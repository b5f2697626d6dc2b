/**
 * When the ports of a connection are used anew (RFC 9293, section 3.6.1), and when it only seems so.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import { matchesEarlierSynAck } from "./handshake.ts";
import { ACK, RST, type Segment, SYN } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";
import { senderOf } from "./transition.ts";

/** How far from what an end sent last its next segment may be, and still be taken for its own. */
const MAX_DISTANCE = 0x10000;

/** Whether a SYN begins another connection between the same two ends. */
export function isNewConnection(flow: Flow, segment: Segment): boolean {
  if ((segment.flags & (SYN | ACK | RST)) !== SYN) return false;
  if (flow.finishedAt !== undefined) return true;
  const end = senderOf(flow, segment);
  if (end.hasIsn) return end.isn !== segment.seq;
  if (matchesEarlierSynAck(flow, segment)) return false;
  const isCrossing = flow.client.state === "SYN_SENT" && end === flow.server;
  return !isCrossing;
}

/**
 * Whether a segment belongs to the connection that was open before the latest attempt: its client goes
 * on, so that the SYN was not its own. An ACK that the server sends may answer the SYN, and does until then.
 */
export function belongsToPredecessor(before: Flow, attempt: Flow, segment: Segment): boolean {
  const { flags, length, seq, ack } = segment;
  if ((flags & (SYN | RST)) !== 0 || (flags & ACK) === 0) return false;
  const end = senderOf(before, segment);
  if (Math.abs(distance(end.nextSeq, seq)) > MAX_DISTANCE) return false;
  if (Math.abs(distance(end.peer.nextSeq, ack)) > MAX_DISTANCE) return false;
  const isOfAttempt = senderOf(attempt, segment);
  if (isOfAttempt.hasNextSeq && isOfAttempt.nextSeq === seq) return false;
  if (!before.isResumed && length === 0 && isOfAttempt.role === "server") return false;
  before.isResumed = true;
  return true;
}
