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
const OTHER = 0;
/** It comes through another tunnel, and goes on where the flow's segments ended. */
const GOES_ON = 1;
/** It comes through the tunnel that the other end's segments came through. */
const ANSWERS = 2;
/** It comes through the tunnel that its sender's segments came through. */
const SAME = 3;
/** A segment fits no better. */
export const BEST_FIT: number = SAME;

/** Unrelated flows agree in both sequence numbers to within this much once in 2^22. */
const NEAR = 0x100000;

/**
 * How well a segment fits a flow of the same addresses, by its tunnel alone: 0 for not at all. What came through no
 * tunnel fits any: on a tunnel's own end it is the same segment, seen before it was wrapped. Each
 * direction may have a number of its own, as in GTP-U and MPLS, and a number may change on the way.
 */
export function tunnelFit(sender: End, segment: Segment): number {
  const { key } = segment.through;
  if (key === 0 || sender.tunnel === key) return SAME;
  if (sender.tunnel === 0 && sender.peer.tunnel === key) return ANSWERS;
  return goesOn(sender, segment) ? GOES_ON : OTHER;
}

function goesOn(sender: End, { flags, seq, ack }: Segment): boolean {
  if ((flags & (SYN | ACK)) === SYN) {
    return sender.tunnel === 0 && sender.hasIsn && sender.isn === seq;
  }
  const { peer } = sender;
  if (sender.hasNext && !isNear(sender.next, seq)) return false;
  return (flags & ACK) === 0 || !peer.hasNext || isNear(peer.next, ack);
}

function isNear(from: number, to: number): boolean {
  return Math.abs(distance(from, to)) <= NEAR;
}

/** Notes through what an end's segments come. */
export function noteTunnel(end: End, { through }: Segment): void {
  if (through.length === 0 || (end.tunnel === through.key && end.through.length > 0)) return;
  end.tunnel = through.key;
  end.through = through.words();
}
