/**
 * From segments to the lines of a flow's history.
 *
 * @module
 */
import { icmpWords } from "../decode/icmp.ts";
import { isVersion4 } from "../decode/ip_address.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";
import type { End, Flow } from "./flow.ts";
import type { Mark, SegmentHistory } from "./segment_history.ts";

/** What became of a segment. */
export interface Recorded {
  /** Its flow, after it. */
  readonly flow: Flow;
  /** The segment. */
  readonly segment: Segment;
  /** The end that sent it. */
  readonly end: End;
  /** What is remarkable about it. */
  readonly mark: Mark;
  /** Whether an end's state is another one after it. */
  readonly isChange: boolean;
  /** By how much the capture's clock had gone back before it. */
  readonly clockBack: number;
}

/** Adds a segment to its flow's history. */
export function recordSegment(history: SegmentHistory, recorded: Recorded): void {
  const { flow, segment, end, mark, isChange } = recorded;
  const { at, flags, seq, ack, length } = segment;
  const isOrdinary = !isChange && (flags & (SYN | FIN | RST)) === 0;
  const isJump = flow.clockBack > recorded.clockBack;
  history.add({
    kind: "segment",
    at,
    from: end.role,
    flags,
    seq,
    ack,
    length,
    mark,
    ...(isJump ? { clockBack: flow.clockBack } : {}),
    ...((flags & SYN) === 0 ? {} : { options: segment.options }),
    client: flow.client.state,
    server: flow.server.state,
  }, { isOrdinary, isChange });
}

/** Adds an ICMP error to the history of the flow that it is about. */
export function recordReport(history: SegmentHistory, flow: Flow, segment: Segment): void {
  const { icmpType: type, icmpCode: code } = segment;
  history.addReport({
    kind: "report",
    at: segment.at,
    words: icmpWords({ type, code, isVersion6: !isVersion4(segment.addresses) }),
    client: flow.client.state,
    server: flow.server.state,
  });
}
