/**
 * The resolver counts of all workers, each of which has its own resolver.
 *
 * @module
 */
import type { ResolverCounts } from "../transport/resolver.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Sums up the resolver counts of workers. */
export class ResolverTotals {
  readonly #latest = new Map<WorkerHandle, ResolverCounts>();
  /** The sum of workers that have ended; at most one element. */
  readonly #ended: ResolverCounts[] = [];

  /** Stores a worker's latest counts. */
  note(worker: WorkerHandle, counts: ResolverCounts): void {
    this.#latest.set(worker, counts);
  }

  /** Removes a worker that has ended; its completed lookups stay counted. */
  remove(worker: WorkerHandle): void {
    const counts = this.#latest.get(worker);
    this.#latest.delete(worker);
    if (!counts) return;
    const done = { ...counts, lookups: counts.lookups - counts.underWay };
    const sum = [...this.#ended.splice(0), {
      ...done,
      waiting: 0,
      underWay: 0,
      unanswered: 0,
      queued: 0,
    }].reduce(
      add,
    );
    this.#ended.push(sum);
  }

  /** The counts of the supervisor and all workers. */
  sum(own: ResolverCounts): ResolverCounts {
    return [...this.#latest.values(), ...this.#ended].reduce(add, own);
  }
}

function add(one: ResolverCounts, other: ResolverCounts): ResolverCounts {
  return {
    lookups: one.lookups + other.lookups,
    failures: one.failures + other.failures,
    hits: one.hits + other.hits,
    stale: one.stale + other.stale,
    waiting: one.waiting + other.waiting,
    underWay: one.underWay + other.underWay,
    unanswered: one.unanswered + other.unanswered,
    refused: one.refused + other.refused,
    queued: one.queued + other.queued,
  };
}
