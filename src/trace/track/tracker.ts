/**
 * Tracks TCP connections from their segments.
 *
 * @module
 */
import { isDuplicate, rememberSegment } from "./duplicate.ts";
import type { End } from "./end.ts";
import { Flow } from "./flow.ts";
import { advanceFlowClock, setTimeSince } from "./flow_clock.ts";
import { FlowTable } from "./flow_table.ts";
import { type FlowCallbacks, FlowReporter } from "./flow_reporter.ts";
import { belongsToPredecessor, isNewConnection } from "./port_reuse.ts";
import { overdueAt } from "./retransmission_timers.ts";
import { recordSegment } from "./record_segment.ts";
import { handleIcmpError } from "./icmp_error.ts";
import { SegmentHistory } from "./segment_history.ts";
import { ACK, type Decoded, type Segment, SYN } from "../decode/segment.ts";
import { handleSegment, senderOf } from "./transition.ts";
import { recordTunnel } from "./tunnel_match.ts";

/** Options of a {@linkcode Tracker}. */
export interface TrackerOptions extends FlowCallbacks {
  /** Maximum number of flows; default 16,384. */
  readonly limit?: number;
  /** Whether the object of an evicted flow is reused for another. */
  readonly reusesFlows?: boolean;
  /** Whether flows record their segments, for a ladder. */
  readonly keepSegments?: boolean;
}

const SWEEP_INTERVAL = 1000;

/**
 * Tracks both ends of each connection from its first SYN until its ports are reused, in bounded
 * memory. The result for one flow does not depend on other packets.
 */
export class Tracker {
  /** Number of flows created. */
  flowCount = 0;
  /** TCP segments processed. */
  segments = 0;
  /** Segments captured more than once. */
  duplicates = 0;
  /** ICMP errors about segments that were not captured. */
  strayIcmpErrors = 0;
  /** Finished flows evicted because of the flow limit. */
  expired = 0;
  /** Open flows evicted because of the flow limit. */
  evicted = 0;

  readonly #table: FlowTable;
  readonly #options: TrackerOptions;
  readonly #reporter: FlowReporter;
  #lastSweep = -Infinity;

  /** Creates an empty tracker. */
  constructor(options: TrackerOptions = {}) {
    this.#options = options;
    this.#table = new FlowTable(options.limit ?? 16_384);
    this.#reporter = new FlowReporter(options);
  }

  /**
   * The flows in memory: finished ones in the order in which they ended, then open ones in the
   * order in which they began.
   */
  flows(): Iterable<Flow> {
    return this.#table.all();
  }

  /** Processes a decoded packet. */
  track(segment: Segment, decoded: Exclude<Decoded, "undecoded">): void {
    const hash = this.#table.hash(segment);
    const flow = this.#table.find(segment, hash);
    setTimeSince(segment, flow?.origin);
    if (decoded === "icmp") return this.#trackIcmpError(flow, segment);
    this.segments += 1;
    this.#trackSegment(flow, segment, hash);
  }

  /** Reports finished flows now, although more segments may follow. */
  reportFinished(): void {
    for (const flow of this.#table.unreportedFinished()) this.#reporter.report(flow);
    this.#reporter.reportContinued();
  }

  /**
   * Reports finished flows, and handshakes whose next retransmission is overdue at the given time,
   * in milliseconds since 1970.
   */
  reportOverdue(milliseconds: number): void {
    this.reportFinished();
    if (Math.abs(milliseconds - this.#lastSweep) < SWEEP_INTERVAL) return;
    this.#lastSweep = milliseconds;
    for (const flow of this.#table.unestablished()) {
      if (flow.isPartial || milliseconds < overdueAt(flow)) continue;
      flow.isOverdue = true;
      this.#reporter.report(flow);
    }
  }

  /** Reports all remaining flows; no segment may follow. */
  finish(): void {
    for (const flow of this.#table.all()) {
      this.#table.remove(flow);
      this.#reporter.report(flow);
    }
  }

  #trackSegment(latest: Flow | undefined, segment: Segment, hash: number): void {
    let flow = latest;
    if (flow?.hasPredecessor) {
      const before = this.#table.findPredecessor(flow, segment);
      if (before !== undefined && belongsToPredecessor(before, flow, segment)) flow = before;
      setTimeSince(segment, flow.origin);
    }
    if (flow !== undefined && isDuplicate(senderOf(flow, segment), segment, flow.duplicates > 0)) {
      recordTunnel(senderOf(flow, segment), segment);
      flow.duplicates += 1;
      this.duplicates += 1;
      return;
    }
    const isNew = flow === undefined || isNewConnection(flow, segment);
    const current = flow === undefined || isNew
      ? this.#createFlow(segment, { hash, before: flow })
      : flow;
    this.#handle(current, segment, senderOf(current, segment));
  }

  #handle(flow: Flow, segment: Segment, end: End): void {
    rememberSegment(end, segment);
    recordTunnel(end, segment);
    const clockBack = flow.clockBack;
    segment.time = advanceFlowClock(flow, segment.time);
    const wasEstablished = flow.establishedAt !== undefined;
    const wasSettled = wasEstablished || flow.isSettled;
    const wasFinished = flow.finishedAt !== undefined;
    const clientBefore = flow.client.state;
    const serverBefore = flow.server.state;
    const analysis = handleSegment(flow, segment, end);
    this.#reporter.markUnreported(flow);
    if (flow.history !== undefined) {
      const changesState = clientBefore !== flow.client.state || serverBefore !== flow.server.state;
      recordSegment(flow.history, {
        flow,
        segment,
        end,
        analysis,
        changesState,
        clockBack,
      });
    }
    const isEstablished = flow.establishedAt !== undefined;
    const isFinished = flow.finishedAt !== undefined;
    if (wasEstablished !== isEstablished || wasFinished !== isFinished) this.#table.move(flow);
    if (wasEstablished !== isEstablished || wasSettled !== flow.isSettled) {
      this.#reportSettled(flow, segment);
    }
    if ((segment.flags & SYN) !== 0) this.#reporter.recordSyn(flow, segment, { end, analysis });
  }

  #reportSettled(flow: Flow, segment: Segment): void {
    if (flow.hasPredecessor) {
      const before = this.#table.findPredecessor(flow, segment);
      if (before !== undefined) this.#retire(before);
      flow.hasPredecessor = before !== undefined;
    }
    this.#reporter.reportSettled(flow);
  }

  #createFlow(
    segment: Segment,
    { hash, before }: { hash: number; before: Flow | undefined },
  ): Flow {
    const isSyn = (segment.flags & SYN) !== 0;
    const startsWithSynAck = isSyn && (segment.flags & ACK) !== 0;
    const hasPredecessor = before !== undefined && this.#retireUnlessOpen(before, segment);
    setTimeSince(segment);
    const context = {
      hash,
      number: this.flowCount,
      startsWithSynAck,
      origin: segment.seconds,
      history: this.#options.keepSegments ? new SegmentHistory() : undefined,
    };
    const spare = this.#evictIfFull(hash);
    if (spare !== undefined) spare.initialise(segment, context);
    const flow = spare ?? new Flow(segment, context);
    flow.isPartial = !isSyn || startsWithSynAck;
    flow.mayContinueEvicted = flow.isPartial && this.expired + this.evicted > 0;
    flow.hasPredecessor = hasPredecessor;
    this.flowCount += 1;
    this.#table.add(flow);
    return flow;
  }

  /**
   * Retires a flow whose ports are reused, unless it is open: its server may refuse the new SYN
   * (RFC 9293, 3.5.1). Returns whether it was kept, or its own predecessor was.
   */
  #retireUnlessOpen(flow: Flow, segment: Segment): boolean {
    const stays = (flow.establishedAt !== undefined || flow.isPartial) &&
      flow.finishedAt === undefined;
    if (stays) return true;
    const hadPredecessor = flow.hasPredecessor &&
      this.#table.findPredecessor(flow, segment) !== undefined;
    this.#retire(flow);
    return hadPredecessor;
  }

  /** Evicts a flow if the table is full, and returns it if its object may be reused. */
  #evictIfFull(hash: number): Flow | undefined {
    const leaving = this.#table.evict(hash);
    if (leaving === undefined) return undefined;
    if (leaving.finishedAt !== undefined) {
      this.expired += 1;
    } else {
      this.evicted += 1;
      leaving.evicted = "full";
    }
    this.#reporter.report(leaving);
    return this.#options.reusesFlows ? leaving : undefined;
  }

  #retire(flow: Flow): void {
    this.#table.remove(flow);
    if (flow.finishedAt === undefined) flow.evicted = "reused";
    this.#reporter.report(flow);
  }

  #trackIcmpError(flow: Flow | undefined, segment: Segment): void {
    const wasSettled = flow !== undefined && flow.isSettled;
    if (flow === undefined || !handleIcmpError(flow, segment)) {
      this.strayIcmpErrors += 1;
      return;
    }
    flow.hasUnreportedSegments = flow.isReported;
    if (!wasSettled && flow.isSettled) this.#reporter.reportSettled(flow);
  }
}
