/**
 * The tracker: from segments to connections.
 *
 * @module
 */
import { isDuplicate, rememberSegment } from "./duplicate.ts";
import { type End, Flow } from "./flow.ts";
import { advanceFlowClock, setTimeSince } from "./flow_clock.ts";
import { FlowTable } from "./flow_table.ts";
import { HostFingerprints } from "./host_fingerprints.ts";
import { belongsToPredecessor, isNewConnection } from "./port_reuse.ts";
import { overdueAt } from "./retransmission_timers.ts";
import { recordSegment } from "./record_segment.ts";
import { handleIcmpError } from "./icmp_error.ts";
import { SegmentHistory } from "./segment_history.ts";
import { ACK, type Decoded, type Segment, SYN } from "../decode/segment.ts";
import type { Role } from "./state.ts";
import { handleSegment, senderOf } from "./transition.ts";
import { recordTunnel } from "./tunnel_match.ts";

/** What a tracker remembers and whom it tells. */
export interface TrackerOptions {
  /** How many flows are remembered at a time: 16,384 unless said otherwise. */
  readonly limit?: number;
  /** Whether the object of a flow that has left is used for another one. */
  readonly reusesFlows?: boolean;
  /** Whether flows keep their segments, for a ladder. */
  readonly keepSegments?: boolean;
  /** Told when a handshake has succeeded or failed. */
  readonly onSettled?: (flow: Flow) => void;
  /** Told when a SYN or SYN+ACK is sent again. */
  readonly onSynRetransmission?: (flow: Flow, by: Role) => void;
  /** Told once of every flow: when it leaves, or earlier by {@linkcode Tracker.reportFinished} and {@linkcode Tracker.reportOverdue}. */
  readonly onFlow?: (flow: Flow) => void;
  /** Told again of a flow of which it was told early, and of which more was seen since. */
  readonly onFlowContinued?: (flow: Flow) => void;
}

const SWEEP_INTERVAL = 1000;

/**
 * Follows connections from their first SYN until their ports are used anew, both ends of each, in
 * bounded memory. What becomes of one does not depend on what else is seen, nor on when.
 */
export class Tracker {
  /** Flows that were begun. */
  flowCount = 0;
  /** Segments that were followed. */
  segments = 0;
  /** Segments captured a second time. */
  duplicates = 0;
  /** ICMP errors about segments of no flow that is known. */
  strayIcmpErrors = 0;
  /** Finished flows that were forgotten to make room. */
  expired = 0;
  /** Flows that had to leave while they were open, to make room. */
  evicted = 0;

  readonly #table: FlowTable;
  readonly #options: TrackerOptions;
  readonly #hosts = new HostFingerprints();
  readonly #finishedAgain = new Set<Flow>();
  #lastSweep = -Infinity;

  /** A tracker that has seen nothing. */
  constructor(options: TrackerOptions = {}) {
    this.#options = options;
    this.#table = new FlowTable(options.limit ?? 16_384);
  }

  /** How many flows it remembers now. */
  get size(): number {
    return this.#table.size;
  }

  /** The flows it remembers: those that are over in the order of their end, then the others as they began. */
  flows(): Iterable<Flow> {
    return this.#table.all();
  }

  /** Takes in what {@linkcode decodeSegment} has read; what is neither TCP nor about it is no matter. */
  track(segment: Segment, decoded: Decoded): void {
    if (decoded !== "tcp" && decoded !== "icmp") return;
    const hash = this.#table.hash(segment);
    const flow = this.#table.find(segment, hash);
    setTimeSince(segment, flow?.origin);
    if (decoded === "icmp") return this.#trackIcmpError(flow, segment);
    this.segments += 1;
    this.#trackSegment(flow, segment, hash);
  }

  /** Tells of the flows that are over, without waiting for what may still come. */
  reportFinished(): void {
    for (const flow of this.#table.unreportedFinished()) this.#report(flow);
    for (const flow of this.#finishedAgain) this.#report(flow);
  }

  /** The same, and of attempts that nobody answers or repeats any more, as of a time since 1970. */
  reportOverdue(milliseconds: number): void {
    this.reportFinished();
    if (Math.abs(milliseconds - this.#lastSweep) < SWEEP_INTERVAL) return;
    this.#lastSweep = milliseconds;
    for (const flow of this.#table.unestablished()) {
      if (flow.isPartial || milliseconds < overdueAt(flow)) continue;
      flow.isOverdue = true;
      this.#report(flow);
    }
  }

  /** Tells of all flows that were not told of; nothing more will be seen. */
  finish(): void {
    for (const flow of this.#table.all()) {
      this.#table.remove(flow);
      this.#report(flow);
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
    const mark = handleSegment(flow, segment, end);
    flow.hasUnreportedSegments = flow.isReported;
    flow.isOverdue = false;
    if (flow.history !== undefined) {
      const isChange = clientBefore !== flow.client.state || serverBefore !== flow.server.state;
      recordSegment(flow.history, {
        flow,
        segment,
        end,
        analysis: mark,
        changesState: isChange,
        clockBack,
      });
    }
    if (mark === "" && (segment.flags & (SYN | ACK)) === (SYN | ACK)) {
      this.#hosts.record(end, segment);
    }
    const isEstablished = flow.establishedAt !== undefined;
    const isFinished = flow.finishedAt !== undefined;
    if (wasEstablished !== isEstablished || wasFinished !== isFinished) this.#table.move(flow);
    if (isFinished && flow.isReported) this.#finishedAgain.add(flow);
    if (wasEstablished !== isEstablished || wasSettled !== flow.isSettled) {
      this.#reportSettled(flow, segment);
    }
    if (mark === "retransmission" && (segment.flags & SYN) !== 0) {
      this.#options.onSynRetransmission?.(flow, end.role);
    }
  }

  #reportSettled(flow: Flow, segment: Segment): void {
    if (flow.hasPredecessor) {
      const before = this.#table.findPredecessor(flow, segment);
      if (before !== undefined) this.#retire(before);
      flow.hasPredecessor = before !== undefined;
    }
    this.#options.onSettled?.(flow);
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
   * Ends the flow whose ports are used anew, or keeps it if it is open: who knows it may well
   * refuse the new one (RFC 9293, section 3.5.1). Returns whether it stays.
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

  /** Lets a flow go if there are too many, and returns it if nobody will look at it again. */
  #evictIfFull(hash: number): Flow | undefined {
    const leaving = this.#table.evict(hash);
    if (leaving === undefined) return undefined;
    if (leaving.finishedAt !== undefined) {
      this.expired += 1;
    } else {
      this.evicted += 1;
      leaving.evicted = "full";
    }
    this.#report(leaving);
    return this.#options.reusesFlows ? leaving : undefined;
  }

  #retire(flow: Flow): void {
    this.#table.remove(flow);
    if (flow.finishedAt === undefined) flow.evicted = "reused";
    this.#report(flow);
  }

  #report(flow: Flow): void {
    if (flow.reset !== undefined) flow.hostFingerprint = this.#hosts.of(flow[flow.reset.by]);
    if (!flow.isReported) this.#options.onFlow?.(flow);
    else if (flow.hasUnreportedSegments) this.#options.onFlowContinued?.(flow);
    flow.isReported = true;
    flow.hasUnreportedSegments = false;
    this.#finishedAgain.delete(flow);
  }

  #trackIcmpError(flow: Flow | undefined, segment: Segment): void {
    const wasSettled = flow !== undefined && flow.isSettled;
    if (flow === undefined || !handleIcmpError(flow, segment)) {
      this.strayIcmpErrors += 1;
      return;
    }
    flow.hasUnreportedSegments = flow.isReported;
    if (!wasSettled && flow.isSettled) this.#options.onSettled?.(flow);
  }
}
