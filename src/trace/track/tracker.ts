/**
 * The tracker: from segments to connections.
 *
 * @module
 */
import { isCopy, recordSighting } from "./duplicate.ts";
import { type End, Flow } from "./flow.ts";
import { flowTime, stamp } from "./flow_clock.ts";
import { FlowTable } from "./flow_table.ts";
import { HostFingerprints } from "./host_fingerprints.ts";
import { continuesBefore, isNewAttempt } from "./port_reuse.ts";
import { patienceEnds } from "./retransmission_timers.ts";
import { recordSegment } from "./record_segment.ts";
import { takeReport } from "./icmp_error.ts";
import { SegmentHistory } from "./segment_history.ts";
import { ACK, type Decoded, type Segment, SYN } from "../decode/segment.ts";
import type { Role } from "./state.ts";
import { advance, senderOf } from "./transition.ts";
import { noteTunnel } from "./tunnel_match.ts";

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
  readonly onRepeated?: (flow: Flow, by: Role) => void;
  /** Told once of every flow: when it leaves, or earlier by {@linkcode Tracker.tellFinished} and {@linkcode Tracker.expire}. */
  readonly onFinished?: (flow: Flow) => void;
  /** Told again of a flow of which it was told early, and of which more was seen since. */
  readonly onContinued?: (flow: Flow) => void;
}

const SWEEP_INTERVAL = 1000;

/**
 * Follows connections from their first SYN until their ports are used anew, both ends of each, in
 * bounded memory. What becomes of one does not depend on what else is seen, nor on when.
 */
export class Tracker {
  /** Flows that were begun. */
  flows = 0;
  /** Segments that were followed. */
  segments = 0;
  /** Segments captured a second time. */
  copies = 0;
  /** ICMP errors about segments of no flow that is known. */
  strayReports = 0;
  /** Finished flows that were forgotten to make room. */
  expired = 0;
  /** Flows that had to leave while they were open, to make room. */
  evicted = 0;

  readonly #table: FlowTable;
  readonly #options: TrackerOptions;
  readonly #hosts = new HostFingerprints();
  readonly #late = new Set<Flow>();
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
  remembered(): Iterable<Flow> {
    return this.#table.all();
  }

  /** Takes in what {@linkcode decodeSegment} has read; what is neither TCP nor about it is no matter. */
  see(segment: Segment, decoded: Decoded): void {
    if (decoded !== "tcp" && decoded !== "icmp") return;
    const hash = this.#table.hash(segment);
    const flow = this.#table.find(segment, hash);
    stamp(segment, flow?.origin);
    if (decoded === "icmp") return this.#report(flow, segment);
    this.segments += 1;
    this.#follow(flow, segment, hash);
  }

  /** Tells of the flows that are over, without waiting for what may still come. */
  tellFinished(): void {
    for (const flow of this.#table.finishedLately()) this.#tell(flow);
    for (const flow of this.#late) this.#tell(flow);
  }

  /** The same, and of attempts that nobody answers or repeats any more, as of a time since 1970. */
  expire(milliseconds: number): void {
    this.tellFinished();
    if (Math.abs(milliseconds - this.#lastSweep) < SWEEP_INTERVAL) return;
    this.#lastSweep = milliseconds;
    for (const flow of this.#table.unproven()) {
      if (flow.isPartial || milliseconds < patienceEnds(flow)) continue;
      flow.isOverdue = true;
      this.#tell(flow);
    }
  }

  /** Tells of all flows that were not told of; nothing more will be seen. */
  finish(): void {
    for (const flow of this.#table.all()) {
      this.#table.remove(flow);
      this.#tell(flow);
    }
  }

  #follow(latest: Flow | undefined, segment: Segment, hash: number): void {
    let flow = latest;
    if (flow?.hasPredecessor) {
      const before = this.#table.findBefore(flow, segment);
      if (before !== undefined && continuesBefore(before, flow, segment)) flow = before;
      stamp(segment, flow.origin);
    }
    if (flow !== undefined && isCopy(senderOf(flow, segment), segment, flow.copies > 0)) {
      noteTunnel(senderOf(flow, segment), segment);
      flow.copies += 1;
      this.copies += 1;
      return;
    }
    const isNew = flow === undefined || isNewAttempt(flow, segment);
    const current = flow === undefined || isNew
      ? this.#begin(segment, { hash, before: flow })
      : flow;
    this.#advance(current, segment, senderOf(current, segment));
  }

  #advance(flow: Flow, segment: Segment, end: End): void {
    recordSighting(end, segment);
    noteTunnel(end, segment);
    const clockBack = flow.clockBack;
    segment.at = flowTime(flow, segment.at);
    const wasEstablished = flow.establishedAt !== undefined;
    const wasSettled = wasEstablished || flow.isSettled;
    const wasFinished = flow.finishedAt !== undefined;
    const clientBefore = flow.client.state;
    const serverBefore = flow.server.state;
    const mark = advance(flow, segment, end);
    flow.hasNews = flow.isTold;
    flow.isOverdue = false;
    if (flow.history !== undefined) {
      const isChange = clientBefore !== flow.client.state || serverBefore !== flow.server.state;
      recordSegment(flow.history, { flow, segment, end, mark, isChange, clockBack });
    }
    if (mark === "" && (segment.flags & (SYN | ACK)) === (SYN | ACK)) {
      this.#hosts.note(end, segment);
    }
    const isEstablished = flow.establishedAt !== undefined;
    const isFinished = flow.finishedAt !== undefined;
    if (wasEstablished !== isEstablished || wasFinished !== isFinished) this.#table.move(flow);
    if (isFinished && flow.isTold) this.#late.add(flow);
    if (wasEstablished !== isEstablished || wasSettled !== flow.isSettled) {
      this.#settle(flow, segment);
    }
    if (mark === "again" && (segment.flags & SYN) !== 0) this.#options.onRepeated?.(flow, end.role);
  }

  #settle(flow: Flow, segment: Segment): void {
    if (flow.hasPredecessor) {
      const before = this.#table.findBefore(flow, segment);
      if (before !== undefined) this.#leaveForReuse(before);
      flow.hasPredecessor = before !== undefined;
    }
    this.#options.onSettled?.(flow);
  }

  #begin(segment: Segment, { hash, before }: { hash: number; before: Flow | undefined }): Flow {
    const isSyn = (segment.flags & SYN) !== 0;
    const isAnswer = isSyn && (segment.flags & ACK) !== 0;
    const hasPredecessor = before !== undefined && this.#giveWay(before, segment);
    stamp(segment);
    const context = {
      hash,
      number: this.flows,
      isAnswer,
      origin: segment.seconds,
      history: this.#options.keepSegments ? new SegmentHistory() : undefined,
    };
    const spare = this.#makeRoom(hash);
    if (spare !== undefined) spare.begin(segment, context);
    const flow = spare ?? new Flow(segment, context);
    flow.isPartial = !isSyn || isAnswer;
    flow.mayBeRemainder = flow.isPartial && this.expired + this.evicted > 0;
    flow.hasPredecessor = hasPredecessor;
    this.flows += 1;
    this.#table.add(flow);
    return flow;
  }

  /**
   * Ends the flow whose ports are used anew, or keeps it if it is open: who knows it may well
   * refuse the new one (RFC 9293, section 3.5.1). Returns whether it stays.
   */
  #giveWay(flow: Flow, segment: Segment): boolean {
    const stays = (flow.establishedAt !== undefined || flow.isPartial) &&
      flow.finishedAt === undefined;
    if (stays) return true;
    const hadPredecessor = flow.hasPredecessor &&
      this.#table.findBefore(flow, segment) !== undefined;
    this.#leaveForReuse(flow);
    return hadPredecessor;
  }

  /** Lets a flow go if there are too many, and returns it if nobody will look at it again. */
  #makeRoom(hash: number): Flow | undefined {
    const leaving = this.#table.makeRoom(hash);
    if (leaving === undefined) return undefined;
    if (leaving.finishedAt !== undefined) {
      this.expired += 1;
    } else {
      this.evicted += 1;
      leaving.evicted = "full";
    }
    this.#tell(leaving);
    return this.#options.reusesFlows ? leaving : undefined;
  }

  #leaveForReuse(flow: Flow): void {
    this.#table.remove(flow);
    if (flow.finishedAt === undefined) flow.evicted = "reused";
    this.#tell(flow);
  }

  #tell(flow: Flow): void {
    if (flow.reset !== undefined) flow.hostFingerprint = this.#hosts.of(flow[flow.reset.by]);
    if (!flow.isTold) this.#options.onFinished?.(flow);
    else if (flow.hasNews) this.#options.onContinued?.(flow);
    flow.isTold = true;
    flow.hasNews = false;
    this.#late.delete(flow);
  }

  #report(flow: Flow | undefined, segment: Segment): void {
    const wasSettled = flow !== undefined && flow.isSettled;
    if (flow === undefined || !takeReport(flow, segment)) {
      this.strayReports += 1;
      return;
    }
    flow.hasNews = flow.isTold;
    if (!wasSettled && flow.isSettled) this.#options.onSettled?.(flow);
  }
}
