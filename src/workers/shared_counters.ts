/**
 * Counters in a `SharedArrayBuffer` that all workers of a server use.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { AdmissionParts } from "../admission/admission.ts";
import { LocalPerAddressCounter, type PerAddressCounter } from "../admission/per_address.ts";
import type { Counter } from "../admission/counter.ts";

/** The identity of one worker thread. Its replacement has the same index, but another share. */
export interface WorkerSlot {
  /** The number of the worker, from 0. */
  readonly index: number;
  /** The number of workers. */
  readonly count: number;
  /** The index of its share of the counters. */
  readonly share: number;
}

/** The counters of one limit, as memory that can be posted to workers. */
export interface SharedLimits {
  /** The limit, the number of active connections, and the part of each share. */
  readonly totals: Int32Array<SharedArrayBuffer>;
  /** Active connections of each share, by a hash of the peer. */
  readonly peers: Uint32Array<SharedArrayBuffer>;
}

/** The number of hash values. Other workers count two peers with the same hash as one. */
const HASHES = 1 << 16;

/** Indices in {@linkcode SharedLimits.totals}. */
const LIMIT = 0;
const ACTIVE = 1;
const SHARES = 2;

/** The value of {@linkcode LIMIT} for no limit. */
const UNLIMITED = 0x7fffffff;

/** The value of a reclaimed share: it is not counted up or down until it is reused. */
const CLOSED = -1;

/** Spare shares, because a terminated worker may still count for a moment. */
const SPARE_SHARES = 32;

/** How often a waiting worker polls for capacity, in milliseconds. */
const POLL_INTERVAL = 20;

/** Allocates the counters of one limit. */
export function sharedLimits(workers: number): SharedLimits {
  const totals = new Int32Array(new SharedArrayBuffer((SHARES + sharesOf(workers)) * 4));
  totals[LIMIT] = UNLIMITED;
  return { totals, peers: new Uint32Array(allocateLazily(sharesOf(workers) * HASHES * 4)) };
}

/**
 * Zeroed memory of which only written pages take up RAM. A growable buffer is mapped; a fixed one
 * may come from the allocator, which zeroes it by writing.
 */
function allocateLazily(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes, { maxByteLength: bytes });
}

/** Subtracts the connections of a worker that has ended, once, and closes its share. */
export function reclaim(limits: SharedLimits, slot: WorkerSlot): void {
  const { share } = slot;
  const had = Atomics.exchange(limits.totals, SHARES + share, CLOSED);
  if (had === CLOSED) return;
  Atomics.sub(limits.totals, ACTIVE, had);
  const peers = limits.peers.subarray(share * HASHES, (share + 1) * HASHES);
  // Writing zeros to pages that were never written would allocate them.
  for (let at = 0; at < peers.length; at++) if (peers[at] !== 0) peers[at] = 0;
}

/** Opens the share of a worker. */
export function admitSlot({ totals }: SharedLimits, { share }: WorkerSlot): void {
  Atomics.compareExchange(totals, SHARES + share, CLOSED, 0);
}

/** Allocates shares; the one returned longest ago is reused first. */
export class Shares {
  readonly #free: number[];

  /** All shares for so many workers. */
  constructor(workers: number) {
    this.#free = Array.from({ length: sharesOf(workers) }, (_, share) => share);
  }

  /** Takes a share; `undefined` if so many workers hang that none is left. */
  acquire(): number | undefined {
    return this.#free.shift();
  }

  /** Returns the share of a worker that has ended. */
  release(share: number): void {
    this.#free.push(share);
  }
}

function sharesOf(workers: number): number {
  return workers + SPARE_SHARES;
}

/** The counters of a limit for one worker. */
export function countersOf(limits: SharedLimits, slot: WorkerSlot): AdmissionParts {
  return {
    active: new SharedCounter(limits, slot),
    perAddress: new SharedPerAddressCounter(limits, slot),
  };
}

/** The count of active connections in all workers, which never exceeds the limit. */
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

  /** Whether the share is open; {@linkcode reclaim} has subtracted a closed one already. */
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
    while (this.full && !signal.aborted) await delay(POLL_INTERVAL, { signal }).catch(() => {});
  }
}

/**
 * Connections per address in all workers. A worker writes only its own share, so that it can be
 * reclaimed. Two workers that check at the same moment may each admit one connection beyond the
 * limit.
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
      // Most shares are unused.
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
