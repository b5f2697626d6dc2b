/**
 * Records segments in a flow's history.
 *
 * @module
 */
import { describeIcmpError } from "../decode/icmp.ts";
import { isIpv4Mapped } from "../decode/ip_address.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";
import type { End } from "./end.ts";
import type { Flow } from "./flow.ts";
import type { SegmentAnalysis, SegmentHistory } from "./segment_history.ts";

/** A segment and its effect on its flow. */
export interface HandledSegment {
  /** Flow, after the segment. */
  readonly flow: Flow;
  /** The segment. */
  readonly segment: Segment;
  /** End that sent it. */
  readonly end: End;
  /** Result of its analysis. */
  readonly analysis: SegmentAnalysis;
  /** Whether it changed the state of an end. */
  readonly changesState: boolean;
  /** {@linkcode Flow.clockBack} before the segment. */
  readonly clockBack: number;
}

/** Adds a segment to a history. */
export function recordSegment(history: SegmentHistory, recorded: HandledSegment): void {
  const { flow, segment, end, analysis, changesState } = recorded;
  const { time, flags, seq, ack, length } = segment;
  const isOrdinary = !changesState && (flags & (SYN | FIN | RST)) === 0;
  const isJump = flow.clockBack > recorded.clockBack;
  history.add({
    kind: "segment",
    time,
    from: end.role,
    flags,
    seq,
    ack,
    length,
    analysis,
    ...(isJump ? { clockBack: flow.clockBack } : {}),
    ...((flags & SYN) === 0 ? {} : { options: segment.options }),
    client: flow.client.state,
    server: flow.server.state,
  }, { isOrdinary, changesState });
}

/** Adds an ICMP error to a history. */
export function recordIcmpError(history: SegmentHistory, flow: Flow, segment: Segment): void {
  const { icmpType: type, icmpCode: code } = segment;
  history.addIcmpError({
    kind: "icmp",
    time: segment.time,
    description: describeIcmpError({ type, code, isVersion6: !isIpv4Mapped(segment.addresses) }),
    client: flow.client.state,
    server: flow.server.state,
  });
}
