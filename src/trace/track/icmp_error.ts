/**
 * ICMP errors about segments of a flow.
 *
 * @module
 */
import type { End } from "./end.ts";
import type { Flow } from "./flow.ts";
import { advanceFlowClock } from "./flow_clock.ts";
import { recordIcmpError } from "./record_segment.ts";
import type { Segment } from "../decode/segment.ts";
import { distance } from "../decode/sequence.ts";
import { senderOf } from "./transition.ts";

/** Handles an ICMP error; returns `false` if it quotes a segment that the end cannot have sent. */
export function handleIcmpError(flow: Flow, segment: Segment): boolean {
  if (!hasSent(senderOf(flow, segment), segment)) return false;
  const { icmpType: type, icmpCode: code, icmpSource } = segment;
  segment.time = advanceFlowClock(flow, segment.time);
  flow.lastAt = segment.time;
  if (flow.finishedAt === undefined) flow.unreachable ??= { type, code, source: [...icmpSource] };
  if (flow.history !== undefined) recordIcmpError(flow.history, flow, segment);
  return true;
}

/** Checks the quoted sequence number against forged errors (RFC 5927, 4.1). */
function hasSent(end: End, { seq }: Segment): boolean {
  if (!end.hasNextSeq) return false;
  const first = end.hasIsn ? end.isn : end.firstSeq;
  return distance(first, seq) >= 0 && distance(seq, end.nextSeq) >= 0;
}
