/**
 * Matches segments to flows by tunnel, as tunnels may carry the same private addresses.
 *
 * @module
 */
import { ACK, type Segment, SYN } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";
import type { End } from "./end.ts";

/** Another flow. */
const NO_MATCH = 0;
/** Another tunnel, but sequence numbers that continue the flow's. */
const SEQUENCE_CONTINUES = 1;
/** The tunnel of the other end's segments. */
const TUNNEL_OF_PEER = 2;
/** The tunnel of its sender's segments. */
const TUNNEL_OF_SENDER = 3;
/** The best match. */
export const BEST_MATCH: number = TUNNEL_OF_SENDER;

/** Unrelated flows are within this distance in both sequence numbers once in 2^22. */
const MAX_DISTANCE = 0x100000;

/**
 * Rates how well a segment's tunnel matches a flow of the same addresses; 0 is no match. A segment
 * without a tunnel matches any flow, as a tunnel endpoint also captures it unencapsulated. The two
 * directions may have different identifiers (GTP-U, MPLS), and these may change.
 */
export function tunnelMatch(sender: End, segment: Segment): number {
  const { key } = segment.tunnels;
  if (key === 0 || sender.tunnelKey === key) return TUNNEL_OF_SENDER;
  if (sender.tunnelKey === 0 && sender.peer.tunnelKey === key) return TUNNEL_OF_PEER;
  return continuesSequence(sender, segment) ? SEQUENCE_CONTINUES : NO_MATCH;
}

function continuesSequence(sender: End, { flags, seq, ack }: Segment): boolean {
  if ((flags & (SYN | ACK)) === SYN) {
    return sender.tunnelKey === 0 && sender.hasIsn && sender.isn === seq;
  }
  const { peer } = sender;
  if (sender.hasNextSeq && !isNear(sender.nextSeq, seq)) return false;
  return (flags & ACK) === 0 || !peer.hasNextSeq || isNear(peer.nextSeq, ack);
}

function isNear(from: number, to: number): boolean {
  return Math.abs(distance(from, to)) <= MAX_DISTANCE;
}

/** Records the tunnels of an end's segments. */
export function recordTunnel(end: End, { tunnels }: Segment): void {
  if (tunnels.length === 0 || (end.tunnelKey === tunnels.key && end.tunnels.length > 0)) return;
  end.tunnelKey = tunnels.key;
  end.tunnels = tunnels.names();
}
