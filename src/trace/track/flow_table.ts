/**
 * Flows by their ends, in bounded memory.
 *
 * @module
 */
import { type End, type Flow, isDestination, isSource } from "./flow.ts";
import { FlowList } from "./flow_list.ts";
import { BEST_FIT, tunnelFit } from "./tunnel_match.ts";
import type { Segment } from "../decode/segment.ts";

/**
 * Tunnels may hold any number of flows between the same addresses: no more of them than this are
 * told apart at a time, so that no capture makes the search for one long.
 */
const LONGEST_CHAIN = 64;

/**
 * Flows by their two ends, no more than a given number. Who leaves to make room: the oldest that is
 * finished, else the oldest whose handshake was not seen, else the oldest. So a flood of SYNs from
 * forged addresses drives out itself, and no connection.
 */
export class FlowTable {
  readonly #limit: number;
  readonly #chains = new Map<number, Flow>();
  readonly #unproven = new FlowList();
  readonly #established = new FlowList();
  readonly #finished = new FlowList();
  // Whoever writes a capture must not be able to choose which flows share a chain.
  readonly #seed = Math.floor(Math.random() * 2 ** 30);

  /** A table that holds `limit` flows. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many flows it holds. */
  get size(): number {
    return this.#unproven.size + this.#established.size + this.#finished.size;
  }

  /** The same number for both directions of a flow. */
  hash({ addresses, sourcePort, destinationPort }: Segment): number {
    const source = hashEnd(this.#seed ^ sourcePort, addresses, 0);
    const destination = hashEnd(this.#seed ^ destinationPort, addresses, 4);
    return (source + destination) & 0x3fffffff;
  }

  /** The latest flow of the segment's ends, in either direction. */
  find(segment: Segment, hash: number): Flow | undefined {
    return bestIn(this.#chains.get(hash), segment);
  }

  /** The flow of the same ends, and through the same tunnel, before this one, if it is remembered. */
  findBefore(flow: Flow, segment: Segment): Flow | undefined {
    for (let before = flow.chain; before !== undefined; before = before.chain) {
      const sender = senderIn(before, segment);
      if (sender !== undefined && tunnelFit(sender, segment) === BEST_FIT) return before;
    }
    return undefined;
  }

  /** Takes out the flow that has to leave before another of this hash can be added, if one has to. */
  makeRoom(hash: number): Flow | undefined {
    const crowded = this.#lastOfLongChain(hash);
    if (crowded === undefined && this.size < this.#limit) return undefined;
    const leaving = crowded ?? this.#finished.oldest ?? this.#unproven.oldest ??
      this.#established.oldest;
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
    this.#unproven.append(flow);
  }

  /** Moves a flow to the others of its kind, after it has changed. */
  move(flow: Flow): void {
    flow.list?.remove(flow);
    this.#listFor(flow).append(flow);
  }

  /** Takes a flow out. */
  remove(flow: Flow): void {
    flow.list?.remove(flow);
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

  /** The flows whose handshake has not succeeded, oldest first; each may leave as it comes. */
  unproven(): Iterable<Flow> {
    return this.#unproven;
  }

  /** The flows that have ended since they were last told of, in the order in which they ended. */
  finishedLately(): Flow[] {
    const flows: Flow[] = [];
    let flow = this.#finished.newest;
    for (; flow !== undefined && (!flow.isTold || flow.hasNews); flow = flow.older) {
      flows.push(flow);
    }
    return flows.toReversed();
  }

  /** All flows: those that are over in the order in which they ended, then the others as they began. */
  *all(): Generator<Flow> {
    yield* this.#finished;
    yield* [...this.#unproven, ...this.#established].toSorted((a, b) => a.number - b.number);
  }

  #listFor({ finishedAt, establishedAt }: Flow): FlowList {
    if (finishedAt !== undefined) return this.#finished;
    return establishedAt === undefined ? this.#unproven : this.#established;
  }
}

function bestIn(chain: Flow | undefined, segment: Segment): Flow | undefined {
  let best: Flow | undefined;
  let bestFit = 0;
  for (let flow = chain; flow !== undefined; flow = flow.chain) {
    const sender = senderIn(flow, segment);
    if (sender === undefined) continue;
    const fit = tunnelFit(sender, segment);
    if (fit === BEST_FIT) return flow;
    if (fit > bestFit) best = flow;
    bestFit = Math.max(fit, bestFit);
  }
  return best;
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
