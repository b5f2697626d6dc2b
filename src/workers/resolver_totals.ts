/**
 * How the workers of one server look names up. Each of them does so by itself.
 *
 * @module
 */
import type { ResolverCounts } from "../transport/resolver.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Adds up what workers tell of their resolvers. */
export class ResolverTotals {
  readonly #told = new Map<WorkerHandle, ResolverCounts>();
  /** What workers had done that are gone. */
  readonly #gone: ResolverCounts[] = [];

  /** Notes what a worker told last. */
  note(worker: WorkerHandle, counts: ResolverCounts): void {
    this.#told.set(worker, counts);
  }

  /** Notes that a worker is no more: nobody waits there any more, what it has done stays counted. */
  gone(worker: WorkerHandle): void {
    const counts = this.#told.get(worker);
    this.#told.delete(worker);
    if (!counts) return;
    const done = { ...counts, lookups: counts.lookups - counts.underWay };
    const sum = [...this.#gone.splice(0), {
      ...done,
      waiting: 0,
      underWay: 0,
      silent: 0,
      queued: 0,
    }].reduce(
      add,
    );
    this.#gone.push(sum);
  }

  /** What the supervisor itself and all workers have done and do. */
  sum(own: ResolverCounts): ResolverCounts {
    return [...this.#told.values(), ...this.#gone].reduce(add, own);
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
    silent: one.silent + other.silent,
    refused: one.refused + other.refused,
    queued: one.queued + other.queued,
  };
}
