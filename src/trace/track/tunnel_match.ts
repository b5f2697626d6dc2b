/**
 * Which of several flows between the same addresses a segment belongs to: tunnels keep the same
 * private addresses apart.
 *
 * @module
 */
import { ACK, type Segment, SYN } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";
import type { End } from "./flow.ts";

/** It belongs to another flow. */
const NO_MATCH = 0;
/** It comes through another tunnel, and goes on where the flow's segments ended. */
const SEQUENCE_CONTINUES = 1;
/** It comes through the tunnel that the other end's segments came through. */
const TUNNEL_OF_PEER = 2;
/** It comes through the tunnel that its sender's segments came through. */
const TUNNEL_OF_SENDER = 3;
/** A segment fits no better. */
export const BEST_MATCH: number = TUNNEL_OF_SENDER;

/** Unrelated flows agree in both sequence numbers to within this much once in 2^22. */
const MAX_DISTANCE = 0x100000;

/**
 * How well a segment fits a flow of the same addresses, by its tunnel alone: 0 for not at all. What came through no
 * tunnel fits any: on a tunnel's own end it is the same segment, seen before it was wrapped. Each
 * direction may have a number of its own, as in GTP-U and MPLS, and a number may change on the way.
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

/** Notes through what an end's segments come. */
export function recordTunnel(end: End, { tunnels }: Segment): void {
  if (tunnels.length === 0 || (end.tunnelKey === tunnels.key && end.tunnels.length > 0)) return;
  end.tunnelKey = tunnels.key;
  end.tunnels = tunnels.names();
}
