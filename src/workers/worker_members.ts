/**
 * The workers that serve: one of them leads, and all of them know what one has found out of an upstream.
 *
 * @module
 */
import { handledElsewhere } from "../scheduling/task_scope.ts";
import type { DesiredState } from "../server/desired_state.ts";
import { HealthTable } from "./health_table.ts";
import type { HealthReport, KnownHealth } from "./messages.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Workers in the order of their numbers. */
export class WorkerMembers {
  #all: readonly WorkerHandle[] = [];
  /** The worker that does what is done once a server. */
  #leader: WorkerHandle | undefined;
  readonly #health = new HealthTable();

  /** All of them; the first one binds first. */
  get all(): readonly WorkerHandle[] {
    return this.#all;
  }

  /** Adds workers. */
  add(workers: readonly WorkerHandle[]): void {
    this.#set(
      [...this.#all, ...workers].filter(({ isGone }) => !isGone)
        .toSorted((one, other) => one.index - other.index),
    );
    this.tellHealth(workers);
  }

  /** Removes one. */
  remove(worker: WorkerHandle): void {
    this.#set(this.#all.filter((other) => other !== worker));
  }

  /**
   * Accepts what a worker has found out of an upstream, and tells all of them; whether it was news. Where it was not,
   * that worker is told what is known.
   */
  learn(report: HealthReport, worker: WorkerHandle): boolean {
    const isNews = this.#health.accept(report);
    this.tellHealth(isNews ? this.#all : [worker], [this.#health.of(report)]);
    return isNews;
  }

  /** Tells workers what is known of upstreams. */
  tellHealth(
    workers: readonly WorkerHandle[],
    known: readonly KnownHealth[] = this.#health.all,
  ): void {
    if (known.length === 0) return;
    for (const worker of workers) handledElsewhere(worker.request("health", known));
  }

  /** Forgets what is known of upstreams that this state does not have. */
  keepHealth(state: DesiredState): void {
    this.#health.keep(state);
  }

  /** The first one leads: it has the Unix sockets, too. */
  #set(all: readonly WorkerHandle[]): void {
    this.#all = all;
    const [first] = all;
    if (first === this.#leader) return;
    const before = this.#leader;
    this.#leader = first;
    if (before) handledElsewhere(before.request("lead", { leads: false }));
    if (first) handledElsewhere(first.request("lead", { leads: true }));
  }
}
