/**
 * What the workers of one server count together, in memory that all of them see.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { AdmissionParts } from "../admission/admission.ts";
import { LocalPerAddressCounter, type PerAddressCounter } from "../admission/per_address.ts";
import type { Counter } from "../admission/counter.ts";

/** Who counts: one worker in its life. Who takes its place counts in another slot. */
export interface WorkerSlot {
  /** Its number among the workers, from 0. */
  readonly index: number;
  /** How many workers there are. */
  readonly count: number;
  /** Where it counts its share. */
  readonly share: number;
}

/** What one limit counts: plain memory, which can be sent to workers. */
export interface SharedLimits {
  /** The limit, how many are inside, and how many of those each worker has. */
  readonly totals: Int32Array<SharedArrayBuffer>;
  /** How many peers have inside in each worker's share, by a hash of the peer. */
  readonly peers: Uint32Array<SharedArrayBuffer>;
}

/** How many different hashes of peers there are. Two peers with the same hash are counted as one by other workers. */
const HASHES = 1 << 16;

/** Where things are in {@linkcode SharedLimits.totals}. */
const LIMIT = 0;
const ACTIVE = 1;
const SHARES = 2;

/** A limit that is none. */
const UNLIMITED = 0x7fffffff;

/** The share of a worker that is gone: nothing is counted there, in or out, until another worker is given it. */
const CLOSED = -1;

/** Shares beside those of the workers there are: one that is gone may still count for a moment. */
const SPARE_SHARES = 32;

/** How often a worker whose clients wait for room looks whether another one has made some, in milliseconds. */
const LOOK = 20;

/** An empty limit for so many workers. */
export function sharedLimits(workers: number): SharedLimits {
  const totals = new Int32Array(new SharedArrayBuffer((SHARES + sharesOf(workers)) * 4));
  totals[LIMIT] = UNLIMITED;
  return { totals, peers: new Uint32Array(untouched(sharesOf(workers) * HASHES * 4)) };
}

/**
 * Zeroed memory of which only the pages that are written take up RAM. A buffer that can grow is mapped; a plain one may
 * come from the allocator, which clears it by writing.
 */
function untouched(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes, { maxByteLength: bytes });
}

/** Gives back what a worker that is gone had inside, once; from then on it counts nothing any more. */
export function reclaim(limits: SharedLimits, slot: WorkerSlot): void {
  const { share } = slot;
  const had = Atomics.exchange(limits.totals, SHARES + share, CLOSED);
  if (had === CLOSED) return;
  Atomics.sub(limits.totals, ACTIVE, had);
  const peers = limits.peers.subarray(share * HASHES, (share + 1) * HASHES);
  // Writing zeros to pages that were never written would allocate them.
  for (let at = 0; at < peers.length; at++) if (peers[at] !== 0) peers[at] = 0;
}

/** Lets a worker count from now on. */
export function admitSlot({ totals }: SharedLimits, { share }: WorkerSlot): void {
  Atomics.compareExchange(totals, SHARES + share, CLOSED, 0);
}

/** Gives out shares; the one that was given back longest ago first, so that who is gone has long finished. */
export class Shares {
  readonly #free: number[];

  /** Enough of them for so many workers. */
  constructor(workers: number) {
    this.#free = Array.from({ length: sharesOf(workers) }, (_, share) => share);
  }

  /** Takes one; `undefined` where so many workers hang that none is left. */
  take(): number | undefined {
    return this.#free.shift();
  }

  /** Gives one back, of a worker that is no more. */
  giveBack(share: number): void {
    this.#free.push(share);
  }
}

function sharesOf(workers: number): number {
  return workers + SPARE_SHARES;
}

/** The counters of a limit, as one worker uses them. */
export function countersOf(limits: SharedLimits, slot: WorkerSlot): AdmissionParts {
  return {
    active: new SharedCounter(limits, slot),
    perAddress: new SharedPerAddressCounter(limits, slot),
  };
}

/** The same count in every worker: never more than the limit, however many come at the same time. */
class SharedCounter implements Counter {
  readonly #totals: SharedLimits["totals"];
  readonly #share: number;

  constructor({ totals }: SharedLimits, { share }: WorkerSlot) {
    this.#totals = totals;
    this.#share = SHARES + share;
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
    if (this.#addToShare(1)) return true;
    Atomics.sub(this.#totals, ACTIVE, 1);
    return false;
  }

  release(): void {
    if (this.#addToShare(-1)) Atomics.sub(this.#totals, ACTIVE, 1);
  }

  /** Whether the share is still this worker's: what is gone is given back by somebody else, and only once. */
  #addToShare(one: 1 | -1): boolean {
    for (;;) {
      const share = Atomics.load(this.#totals, this.#share);
      if (share === CLOSED || share + one < 0) return false;
      if (Atomics.compareExchange(this.#totals, this.#share, share, share + one) === share) {
        return true;
      }
    }
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
  readonly #limits: SharedLimits;
  readonly #slot: WorkerSlot;

  constructor(limits: SharedLimits, slot: WorkerSlot) {
    this.#limits = limits;
    this.#slot = slot;
  }

  count(peer: string): number {
    const { share: own, count: workers } = this.#slot;
    const { totals, peers } = this.#limits;
    const hash = hashOf(peer);
    let count = this.#own.count(peer);
    for (let share = 0; share < sharesOf(workers); share++) {
      // Most shares are nobody's.
      if (share === own || Atomics.load(totals, SHARES + share) <= 0) continue;
      count += Atomics.load(peers, share * HASHES + hash);
    }
    return count;
  }

  enter(peer: string): void {
    this.#own.enter(peer);
    if (!this.#isClosed) Atomics.add(this.#limits.peers, this.#at(peer), 1);
  }

  leave(peer: string): void {
    this.#own.leave(peer);
    if (!this.#isClosed) Atomics.sub(this.#limits.peers, this.#at(peer), 1);
  }

  get #isClosed(): boolean {
    return Atomics.load(this.#limits.totals, SHARES + this.#slot.share) === CLOSED;
  }

  #at(peer: string): number {
    return this.#slot.share * HASHES + hashOf(peer);
  }
}

/** FNV-1a, folded to {@linkcode HASHES}. */
function hashOf(peer: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < peer.length; i++) hash = Math.imul(hash ^ peer.charCodeAt(i), 0x01000193);
  return ((hash >>> 16) ^ hash) & (HASHES - 1);
}
