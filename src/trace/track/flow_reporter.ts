/**
 * Reports the flows of a tracker to its callbacks.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import { HostFingerprints } from "./host_fingerprints.ts";
import type { HandledSegment } from "./record_segment.ts";
import type { Role } from "./state.ts";
import { ACK, type Segment } from "../decode/segment.ts";

/** Callbacks of a tracker. */
export interface FlowCallbacks {
  /** Called when a handshake has completed or failed. */
  readonly onSettled?: (flow: Flow) => void;
  /** Called when a SYN or SYN+ACK is retransmitted. */
  readonly onSynRetransmission?: (flow: Flow, by: Role) => void;
  /** Called once for every flow: when it is dropped, or earlier if it is finished or overdue. */
  readonly onFlow?: (flow: Flow) => void;
  /** Called again for a flow that has more segments since it was reported. */
  readonly onFlowContinued?: (flow: Flow) => void;
}

/** Reports each flow once, and again if more segments follow. */
export class FlowReporter {
  readonly #callbacks: FlowCallbacks;
  readonly #hosts = new HostFingerprints();
  readonly #continued = new Set<Flow>();

  /** Reports to these callbacks. */
  constructor(callbacks: FlowCallbacks) {
    this.#callbacks = callbacks;
  }

  /** Reports a flow with unreported segments. */
  report(flow: Flow): void {
    if (flow.reset !== undefined) flow.hostFingerprint = this.#hosts.of(flow[flow.reset.by]);
    if (!flow.isReported) this.#callbacks.onFlow?.(flow);
    else if (flow.hasUnreportedSegments) this.#callbacks.onFlowContinued?.(flow);
    flow.isReported = true;
    flow.hasUnreportedSegments = false;
    this.#continued.delete(flow);
  }

  /** Reports the finished flows that have more segments since they were reported. */
  reportContinued(): void {
    for (const flow of this.#continued) this.report(flow);
  }

  /** Reports that a handshake has completed or failed. */
  reportSettled(flow: Flow): void {
    this.#callbacks.onSettled?.(flow);
  }

  /** Records that a flow has a segment that was not reported. */
  markUnreported(flow: Flow): void {
    flow.hasUnreportedSegments = flow.isReported;
    flow.isOverdue = false;
    if (flow.isReported && flow.finishedAt !== undefined) this.#continued.add(flow);
  }

  /** Reports a retransmitted SYN or SYN+ACK, and records the fingerprint of a valid SYN+ACK. */
  recordSyn(
    flow: Flow,
    segment: Segment,
    { end, analysis }: Pick<HandledSegment, "end" | "analysis">,
  ): void {
    if (analysis === "" && (segment.flags & ACK) !== 0) this.#hosts.record(end, segment);
    if (analysis === "retransmission") this.#callbacks.onSynRetransmission?.(flow, end.role);
  }
}
