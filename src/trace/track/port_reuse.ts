/**
 * Detects a new connection on ports in use (RFC 9293, 3.6.1).
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import { matchesEarlierSynAck } from "./handshake.ts";
import { ACK, RST, type Segment, SYN } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";
import { senderOf } from "./transition.ts";

/** Maximum distance of a segment from the sequence numbers of its connection. */
const MAX_DISTANCE = 0x10000;

/** Whether the segment is the SYN of a new connection. */
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
 * Whether a segment belongs to the connection that was open before the latest SYN: its client
 * continues, so the SYN was not its own. Until then, a server's ACK counts as an answer to the SYN.
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
