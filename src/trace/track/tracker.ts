/**
 * The tracker: from segments to connections.
 *
 * @module
 */
import { isDuplicate, recordLast } from "./duplicate.ts";
import { type End, Flow } from "./flow.ts";
import { FlowTable } from "./flow_table.ts";
import { type Mark, SegmentHistory } from "./segment_history.ts";
import { icmpWords } from "../decode/icmp.ts";
import { isVersion4 } from "../decode/ip_words.ts";
import { ACK, type Decoded, FIN, RST, type Segment, SYN } from "../decode/segment.ts";
import type { Role } from "./state.ts";
import { advance, senderOf } from "./transition.ts";
import { noteTunnel } from "./tunnel_fit.ts";

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
  /** Told once of every flow: when it is over, leaves early, or the tracker is finished. */
  readonly onFinished?: (flow: Flow) => void;
}

/** The next SYN would have come after twice the last gap; Linux begins with one second. */
const PATIENCE = 2.5;
const LEAST_PATIENCE = 3000;
const SWEEP_INTERVAL = 1000;

/** Follows connections from their first SYN to their last ACK, both ends of each, in bounded memory. */
export class Tracker {
  /** Flows that were begun. */
  flows = 0;
  /** Segments that were followed. */
  segments = 0;
  /** Segments seen a second time, on another interface. */
  duplicates = 0;
  /** Finished flows that were forgotten to make room. */
  expired = 0;
  /** Flows that had to leave while they were open, to make room. */
  evicted = 0;

  readonly #table: FlowTable;
  readonly #options: TrackerOptions;
  #origin: number | undefined;
  #nextSweep = 0;
  #seenAtSweep = 0;

  /** A tracker that has seen nothing. */
  constructor(options: TrackerOptions = {}) {
    this.#options = options;
    this.#table = new FlowTable(options.limit ?? 16_384);
  }

  /** How many flows it remembers now. */
  get size(): number {
    return this.#table.size;
  }

  /** The flows it remembers, the open ones first, each kind in the order of its beginning. */
  remembered(): Iterable<Flow> {
    return this.#table.all();
  }

  /** Takes in what {@linkcode decodeSegment} has read; what is neither TCP nor about it is no matter. */
  see(segment: Segment, decoded: Decoded): void {
    if (decoded !== "tcp" && decoded !== "icmp") return;
    this.#origin ??= segment.seconds;
    segment.at = (segment.seconds - this.#origin) * 1000 + segment.nanoseconds / 1e6;
    const hash = this.#table.hash(segment);
    const flow = this.#table.find(segment, hash);
    if (decoded === "icmp") {
      if (flow !== undefined) this.#report(flow, segment);
      return;
    }
    this.segments += 1;
    this.#follow(flow, segment, hash);
    this.#sweepNowAndThen(segment.at);
  }

  /** Ends the attempts that nobody has answered and nobody repeats, as of a time since 1970. */
  expire(milliseconds: number): void {
    if (this.#origin !== undefined) this.#sweep(milliseconds - this.#origin * 1000);
  }

  /** Tells of all flows that are still open; nothing more will be seen. */
  finish(): void {
    for (const flow of this.#table.open()) {
      this.#table.remove(flow);
      this.#options.onFinished?.(flow);
    }
  }

  #follow(known: Flow | undefined, segment: Segment, hash: number): void {
    let flow = known;
    if (flow !== undefined && isReuse(flow, segment)) {
      this.#leaveForReuse(flow);
      flow = undefined;
    }
    flow ??= this.#begin(segment, hash);
    const end = senderOf(flow, segment);
    noteTunnel(end, segment);
    if (isDuplicate(end, segment)) {
      this.duplicates += 1;
    } else if (flow.finishedAt !== undefined) {
      flow.late += 1;
    } else {
      this.#advance(flow, segment, end);
    }
  }

  #advance(flow: Flow, segment: Segment, end: End): void {
    const wasSettled = isSettled(flow);
    const clientState = flow.client.state;
    const serverState = flow.server.state;
    const mark = advance(flow, segment);
    recordLast(end, segment);
    if (flow.history !== undefined) {
      const changes = clientState !== flow.client.state || serverState !== flow.server.state;
      record(flow.history, { flow, segment, end, mark, changes });
    }
    if (!wasSettled && isSettled(flow)) this.#options.onSettled?.(flow);
    if (mark === "again" && (segment.flags & SYN) !== 0) this.#options.onRepeated?.(flow, end.role);
    if (flow.finishedAt === undefined) return;
    this.#table.finishOpen(flow);
    this.#options.onFinished?.(flow);
  }

  #begin(segment: Segment, hash: number): Flow {
    const isSyn = (segment.flags & SYN) !== 0;
    const isAnswer = isSyn && (segment.flags & ACK) !== 0;
    const context = {
      hash,
      isAnswer,
      origin: this.#origin ?? 0,
      history: this.#options.keepSegments ? new SegmentHistory() : undefined,
    };
    const spare = this.#makeRoom(hash);
    if (spare !== undefined) spare.begin(segment, context);
    const flow = spare ?? new Flow(segment, context);
    flow.isPartial = !isSyn || isAnswer;
    this.flows += 1;
    this.#table.add(flow);
    return flow;
  }

  /** Lets a flow go if there are too many, and returns it if nobody will look at it again. */
  #makeRoom(hash: number): Flow | undefined {
    const leaving = this.#table.makeRoom(hash);
    if (leaving?.finishedAt !== undefined) {
      this.expired += 1;
    } else if (leaving !== undefined) {
      this.evicted += 1;
      leaving.evicted = "full";
      this.#options.onFinished?.(leaving);
    }
    return this.#options.reusesFlows ? leaving : undefined;
  }

  #leaveForReuse(flow: Flow): void {
    this.#table.remove(flow);
    if (flow.finishedAt !== undefined) return;
    flow.evicted = "reused";
    this.#options.onFinished?.(flow);
  }

  #report(flow: Flow, segment: Segment): void {
    if (flow.finishedAt !== undefined) return;
    const { icmpType: type, icmpCode: code, reporter } = segment;
    const wasSettled = isSettled(flow);
    flow.unreachable ??= { type, code, reporter: [...reporter] };
    flow.lastAt = segment.at;
    const isVersion6 = !isVersion4(segment.addresses);
    flow.history?.addReport({
      kind: "report",
      at: segment.at,
      words: icmpWords({ type, code, isVersion6 }),
      client: flow.client.state,
      server: flow.server.state,
    });
    if (!wasSettled) this.#options.onSettled?.(flow);
  }

  #sweepNowAndThen(at: number): void {
    // Never more work than there were segments, however far apart a capture puts them.
    if (at < this.#nextSweep || this.segments - this.#seenAtSweep < this.#table.openSize) return;
    this.#sweep(at);
  }

  #sweep(at: number): void {
    this.#nextSweep = at + SWEEP_INTERVAL;
    this.#seenAtSweep = this.segments;
    for (const flow of this.#table.open()) {
      if (flow.establishedAt !== undefined || flow.isPartial || at < patienceEnds(flow)) continue;
      flow.finishedAt = flow.lastAt;
      this.#table.finishOpen(flow);
      this.#options.onFinished?.(flow);
    }
  }
}

/** Whether the handshake has succeeded or failed. */
export function isSettled({ establishedAt, resetBy, unreachable }: Flow): boolean {
  return establishedAt !== undefined || resetBy !== undefined || unreachable !== undefined;
}

function patienceEnds(flow: Flow): number {
  const gap = Math.max(flow.client.synGaps.at(-1) ?? 0, flow.server.synGaps.at(-1) ?? 0);
  return flow.lastAt + Math.max(LEAST_PATIENCE, gap * PATIENCE);
}

/** Whether a SYN begins another connection between the same two ends. */
function isReuse(flow: Flow, segment: Segment): boolean {
  if ((segment.flags & (SYN | ACK | RST)) !== SYN) return false;
  const end = senderOf(flow, segment);
  if (end.hasIsn) return end.isn !== segment.seq;
  const isCrossing = flow.client.state === "SYN_SENT" && end === flow.server &&
    flow.finishedAt === undefined;
  return !isCrossing && end.segments + end.peer.segments > 0;
}

function record(
  history: SegmentHistory,
  { flow, segment, end, mark, changes }: {
    flow: Flow;
    segment: Segment;
    end: End;
    mark: Mark;
    changes: boolean;
  },
): void {
  const { at, flags, seq, ack, length } = segment;
  const isOrdinary = !changes && (flags & (SYN | FIN | RST)) === 0;
  history.add({
    kind: "segment",
    at,
    from: end.role,
    flags,
    seq,
    ack,
    length,
    mark,
    ...((flags & SYN) === 0 ? {} : { options: segment.options }),
    client: flow.client.state,
    server: flow.server.state,
  }, { isOrdinary });
}
