/**
 * From segments to the lines of a flow's history.
 *
 * @module
 */
import { describeIcmpError } from "../decode/icmp.ts";
import { isIpv4Mapped } from "../decode/ip_address.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";
import type { End, Flow } from "./flow.ts";
import type { SegmentAnalysis, SegmentHistory } from "./segment_history.ts";

/** What became of a segment. */
export interface HandledSegment {
  /** Its flow, after it. */
  readonly flow: Flow;
  /** The segment. */
  readonly segment: Segment;
  /** The end that sent it. */
  readonly end: End;
  /** What is remarkable about it. */
  readonly analysis: SegmentAnalysis;
  /** Whether an end's state is another one after it. */
  readonly changesState: boolean;
  /** By how much the capture's clock had gone back before it. */
  readonly clockBack: number;
}

/** Adds a segment to its flow's history. */
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

/** Adds an ICMP error to the history of the flow that it is about. */
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
