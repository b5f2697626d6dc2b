/**
 * Flows by their ends, in bounded memory.
 *
 * @module
 */
import { type End, type Flow, isDestination, isSource } from "./flow.ts";
import { BEST_FIT, tunnelFit } from "./tunnel_fit.ts";
import type { Segment } from "../decode/segment.ts";

/**
 * Tunnels may hold any number of flows between the same addresses: no more of them than this are
 * told apart at a time, so that no capture makes the search for one long.
 */
const LONGEST_CHAIN = 64;

/** Flows by their two ends, no more than a given number: a long finished one makes room for a new one. */
export class FlowTable {
  readonly #limit: number;
  readonly #chains = new Map<number, Flow>();
  readonly #open = new FlowList();
  readonly #finished = new FlowList();
  // Whoever writes a capture must not be able to choose which flows share a chain.
  readonly #seed = Math.floor(Math.random() * 2 ** 30);

  /** A table that holds `limit` flows. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many flows it holds. */
  get size(): number {
    return this.#open.size + this.#finished.size;
  }

  /** The same number for both directions of a flow. */
  hash({ addresses, sourcePort, destinationPort }: Segment): number {
    const source = hashEnd(this.#seed ^ sourcePort, addresses, 0);
    const destination = hashEnd(this.#seed ^ destinationPort, addresses, 4);
    return (source + destination) & 0x3fffffff;
  }

  /** The flow the segment belongs to, in either direction. */
  find(segment: Segment, hash: number): Flow | undefined {
    let best: Flow | undefined;
    let bestFit = 0;
    for (let flow = this.#chains.get(hash); flow !== undefined; flow = flow.chain) {
      const sender = senderIn(flow, segment);
      if (sender === undefined) continue;
      const fit = tunnelFit(sender, segment);
      if (fit === BEST_FIT) return flow;
      if (fit > bestFit) best = flow;
      bestFit = Math.max(fit, bestFit);
    }
    return best;
  }

  /** Takes out the flow that has to leave before another of this hash can be added, if one has to. */
  makeRoom(hash: number): Flow | undefined {
    const crowded = this.#lastOfLongChain(hash);
    if (crowded === undefined && this.size < this.#limit) return undefined;
    const leaving = crowded ?? this.#finished.oldest ?? this.#open.oldest;
    if (leaving !== undefined) this.remove(leaving);
    return leaving;
  }

  #lastOfLongChain(hash: number): Flow | undefined {
    let flow = this.#chains.get(hash);
    let length = flow === undefined ? 0 : 1;
    for (; flow?.chain !== undefined; length += 1) flow = flow.chain;
    return length < LONGEST_CHAIN ? undefined : flow;
  }

  /** Adds a flow. */
  add(flow: Flow): void {
    flow.chain = this.#chains.get(flow.hash);
    this.#chains.set(flow.hash, flow);
    this.#open.append(flow);
  }

  /** Notes that nothing more is expected of a flow, so that it leaves before those that are open. */
  finishOpen(flow: Flow): void {
    this.#open.remove(flow);
    this.#finished.append(flow);
  }

  /** Takes a flow out. */
  remove(flow: Flow): void {
    (flow.finishedAt === undefined ? this.#open : this.#finished).remove(flow);
    const first = this.#chains.get(flow.hash);
    if (first === flow) {
      if (flow.chain === undefined) this.#chains.delete(flow.hash);
      else this.#chains.set(flow.hash, flow.chain);
      return;
    }
    let before = first;
    while (before !== undefined && before.chain !== flow) before = before.chain;
    if (before !== undefined) before.chain = flow.chain;
  }

  /** The flows of which more is expected, oldest first; each may be finished as it comes. */
  open(): Iterable<Flow> {
    return this.#open;
  }

  /** All flows: the open ones, then the finished ones. */
  *all(): Generator<Flow> {
    yield* this.#open;
    yield* this.#finished;
  }

  /** How many flows {@linkcode open} would yield. */
  get openSize(): number {
    return this.#open.size;
  }
}

function senderIn({ client, server }: Flow, segment: Segment): End | undefined {
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

/** Flows in the order in which they were appended, of which any can leave, also the one just yielded. */
class FlowList {
  oldest: Flow | undefined;
  #newest: Flow | undefined;
  size = 0;

  append(flow: Flow): void {
    flow.older = this.#newest;
    flow.newer = undefined;
    if (this.#newest === undefined) this.oldest = flow;
    else this.#newest.newer = flow;
    this.#newest = flow;
    this.size += 1;
  }

  remove(flow: Flow): void {
    if (flow.older === undefined) this.oldest = flow.newer;
    else flow.older.newer = flow.newer;
    if (flow.newer === undefined) this.#newest = flow.older;
    else flow.newer.older = flow.older;
    flow.older = flow.newer = undefined;
    this.size -= 1;
  }

  *[Symbol.iterator](): Generator<Flow> {
    for (let flow = this.oldest; flow !== undefined;) {
      const { newer } = flow;
      yield flow;
      flow = newer;
    }
  }
}
