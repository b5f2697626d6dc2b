/**
 * Hash table of flows with a size limit.
 *
 * @module
 */
import type { End } from "./end.ts";
import { type Flow, isDestination, isSource } from "./flow.ts";
import { FlowList } from "./flow_list.ts";
import { BEST_MATCH, tunnelMatch } from "./tunnel_match.ts";
import type { Segment } from "../decode/segment.ts";

/**
 * Maximum length of a hash bucket: flows between the same addresses in different tunnels share one.
 */
const MAX_BUCKET_LENGTH = 64;

/**
 * Flows by address and port of both ends. When the table is full, it evicts the oldest finished
 * flow, else the oldest whose handshake has not completed, else the oldest: a SYN flood evicts its
 * own flows.
 */
export class FlowTable {
  readonly #limit: number;
  readonly #buckets = new Map<number, Flow>();
  readonly #unestablished = new FlowList();
  readonly #established = new FlowList();
  readonly #finished = new FlowList();
  // Random, so that a capture cannot be crafted to fill one bucket.
  readonly #seed = Math.floor(Math.random() * 2 ** 30);

  /** Creates a table for `limit` flows. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of flows. */
  get size(): number {
    return this.#unestablished.size + this.#established.size + this.#finished.size;
  }

  /** Hash of both ends, the same for both directions. */
  hash({ addresses, sourcePort, destinationPort }: Segment): number {
    const source = hashEnd(this.#seed ^ sourcePort, addresses, 0);
    const destination = hashEnd(this.#seed ^ destinationPort, addresses, 4);
    return (source + destination) & 0x3fffffff;
  }

  /** Finds the latest flow of a segment, in either direction. */
  find(segment: Segment, hash: number): Flow | undefined {
    return bestMatch(this.#buckets.get(hash), segment);
  }

  /** Finds the previous flow of the same ends and tunnel. */
  findPredecessor(flow: Flow, segment: Segment): Flow | undefined {
    for (let before = flow.nextInBucket; before !== undefined; before = before.nextInBucket) {
      const sender = senderIfMember(before, segment);
      if (sender !== undefined && tunnelMatch(sender, segment) === BEST_MATCH) return before;
    }
    return undefined;
  }

  /** Removes and returns the flow to be evicted before another with this hash can be added. */
  evict(hash: number): Flow | undefined {
    const lastInBucket = this.#lastOfFullBucket(hash);
    if (lastInBucket === undefined && this.size < this.#limit) return undefined;
    const evicted = lastInBucket ?? this.#finished.oldest ?? this.#unestablished.oldest ??
      this.#established.oldest;
    if (evicted !== undefined) this.remove(evicted);
    return evicted;
  }

  #lastOfFullBucket(hash: number): Flow | undefined {
    let flow = this.#buckets.get(hash);
    let length = flow === undefined ? 0 : 1;
    for (; flow?.nextInBucket !== undefined; length += 1) flow = flow.nextInBucket;
    return length < MAX_BUCKET_LENGTH ? undefined : flow;
  }

  /** Adds a flow. */
  add(flow: Flow): void {
    flow.nextInBucket = this.#buckets.get(flow.hash);
    this.#buckets.set(flow.hash, flow);
    this.#unestablished.append(flow);
  }

  /** Moves a flow to the list of its new state. */
  move(flow: Flow): void {
    flow.list?.remove(flow);
    this.#listFor(flow).append(flow);
  }

  /** Removes a flow. */
  remove(flow: Flow): void {
    flow.list?.remove(flow);
    const first = this.#buckets.get(flow.hash);
    if (first === flow) {
      if (flow.nextInBucket === undefined) this.#buckets.delete(flow.hash);
      else this.#buckets.set(flow.hash, flow.nextInBucket);
      return;
    }
    let before = first;
    while (before !== undefined && before.nextInBucket !== flow) before = before.nextInBucket;
    if (before !== undefined) before.nextInBucket = flow.nextInBucket;
  }

  /**
   * Flows whose handshake has not completed, oldest first. A flow may be removed during iteration.
   */
  unestablished(): Iterable<Flow> {
    return this.#unestablished;
  }

  /** Finished flows with unreported segments, in the order in which they ended. */
  unreportedFinished(): Flow[] {
    const flows: Flow[] = [];
    let flow = this.#finished.newest;
    for (
      ;
      flow !== undefined && (!flow.isReported || flow.hasUnreportedSegments);
      flow = flow.older
    ) {
      flows.push(flow);
    }
    return flows.toReversed();
  }

  /**
   * All flows: finished ones in the order in which they ended, then open ones in the order in which
   * they began.
   */
  *all(): Generator<Flow> {
    yield* this.#finished;
    yield* [...this.#unestablished, ...this.#established].toSorted((a, b) => a.number - b.number);
  }

  #listFor({ finishedAt, establishedAt }: Flow): FlowList {
    if (finishedAt !== undefined) return this.#finished;
    return establishedAt === undefined ? this.#unestablished : this.#established;
  }
}

function bestMatch(first: Flow | undefined, segment: Segment): Flow | undefined {
  let best: Flow | undefined;
  let highest = 0;
  for (let flow = first; flow !== undefined; flow = flow.nextInBucket) {
    const sender = senderIfMember(flow, segment);
    if (sender === undefined) continue;
    const match = tunnelMatch(sender, segment);
    if (match === BEST_MATCH) return flow;
    if (match > highest) best = flow;
    highest = Math.max(match, highest);
  }
  return best;
}

function senderIfMember({ client, server }: Flow, segment: Segment): End | undefined {
  if (isSource(client, segment) && isDestination(server, segment)) return client;
  if (isSource(server, segment) && isDestination(client, segment)) return server;
  return undefined;
}

function hashEnd(seed: number, words: Int32Array, at: number): number {
  let hash = seed;
  for (let word = at; word < at + 4; word += 1) {
    hash = Math.imul(hash ^ (words[word] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
