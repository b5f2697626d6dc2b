/**
 * What the workers of one server count together, in memory that all of them see.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { AdmissionParts } from "../admission/admission.ts";
import { LocalPerAddressCounter, type PerAddressCounter } from "../admission/per_address.ts";
import type { Counter } from "../admission/counter.ts";

/** Who counts: the worker's place among all of them. */
export interface WorkerSlot {
  /** Its number, from 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/** What one door counts: plain memory, which can be sent to workers. */
export interface SharedLimits {
  /** The limit, how many are inside, and how many of those each worker has. */
  readonly totals: Int32Array<SharedArrayBuffer>;
  /** Of each worker, how many peers have inside, by a hash of the peer. */
  readonly peers: Uint16Array<SharedArrayBuffer>;
}

/** How many different hashes of peers there are. Two peers with the same hash are counted as one by other workers. */
const HASHES = 1 << 16;

/** Where things are in {@linkcode SharedLimits.totals}. */
const LIMIT = 0;
const ACTIVE = 1;
const SHARES = 2;

/** A limit that is none. */
const UNLIMITED = 0x7fffffff;

/** How often a worker whose clients wait for room looks whether another one has made some, in milliseconds. */
const LOOK = 20;

/** An empty door for so many workers. */
export function sharedLimits(workers: number): SharedLimits {
  const totals = new Int32Array(new SharedArrayBuffer((SHARES + workers) * 4));
  totals[LIMIT] = UNLIMITED;
  return { totals, peers: new Uint16Array(new SharedArrayBuffer(workers * HASHES * 2)) };
}

/** Gives back what a worker that is gone had inside. */
export function reclaim({ totals, peers }: SharedLimits, { index }: WorkerSlot): void {
  Atomics.sub(totals, ACTIVE, Atomics.exchange(totals, SHARES + index, 0));
  peers.fill(0, index * HASHES, (index + 1) * HASHES);
}

/** The counters of a door, as one worker uses them. */
export function countersOf(door: SharedLimits, place: WorkerSlot): AdmissionParts {
  return {
    active: new SharedCounter(door, place),
    perAddress: new SharedPerAddressCounter(door, place),
  };
}

/** The same count in every worker: never more than the limit, however many come at the same time. */
class SharedCounter implements Counter {
  readonly #totals: SharedLimits["totals"];
  readonly #share: number;

  constructor({ totals }: SharedLimits, { index }: WorkerSlot) {
    this.#totals = totals;
    this.#share = SHARES + index;
  }

  get count(): number {
    return Atomics.load(this.#totals, ACTIVE);
  }

  get limit(): number {
    const limit = Atomics.load(this.#totals, LIMIT);
    return limit === UNLIMITED ? Infinity : limit;
  }

  set limit(limit: number) {
    Atomics.store(this.#totals, LIMIT, Math.min(limit, UNLIMITED));
  }

  get full(): boolean {
    return this.count >= this.limit;
  }

  acquire(): boolean {
    for (;;) {
      const count = this.count;
      if (count >= this.limit) return false;
      if (Atomics.compareExchange(this.#totals, ACTIVE, count, count + 1) === count) break;
    }
    Atomics.add(this.#totals, this.#share, 1);
    return true;
  }

  release(): void {
    Atomics.sub(this.#totals, this.#share, 1);
    Atomics.sub(this.#totals, ACTIVE, 1);
  }

  async waitForCapacity(signal: AbortSignal): Promise<void> {
    while (this.full && !signal.aborted) await delay(LOOK, { signal }).catch(() => {});
  }
}

/**
 * Counts of one worker, to which those of the others are added. A worker writes only its own part, so that
 * what a dead one leaves behind is known. Two workers that look at the same moment may each let one in.
 */
class SharedPerAddressCounter implements PerAddressCounter {
  readonly #own = new LocalPerAddressCounter();
  readonly #peers: SharedLimits["peers"];
  readonly #place: WorkerSlot;

  constructor({ peers }: SharedLimits, place: WorkerSlot) {
    this.#peers = peers;
    this.#place = place;
  }

  count(peer: string): number {
    const { index: own, count: of } = this.#place;
    const hash = hashOf(peer);
    let count = this.#own.count(peer);
    for (let index = 0; index < of; index++) {
      if (index !== own) count += Atomics.load(this.#peers, index * HASHES + hash);
    }
    return count;
  }

  enter(peer: string): void {
    this.#own.enter(peer);
    Atomics.add(this.#peers, this.#place.index * HASHES + hashOf(peer), 1);
  }

  leave(peer: string): void {
    this.#own.leave(peer);
    Atomics.sub(this.#peers, this.#place.index * HASHES + hashOf(peer), 1);
  }
}

/** FNV-1a, folded to {@linkcode HASHES}. */
function hashOf(peer: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < peer.length; i++) hash = Math.imul(hash ^ peer.charCodeAt(i), 0x01000193);
  return ((hash >>> 16) ^ hash) & (HASHES - 1);
}
