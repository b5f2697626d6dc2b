/**
 * The serving workers: the choice of the leader, and the health of upstreams that all of them
 * share.
 *
 * @module
 */
import { handledElsewhere } from "../scheduling/task_scope.ts";
import type { DesiredState } from "../server/desired_state.ts";
import { HealthTable } from "./health_table.ts";
import type { HealthReport, KnownHealth } from "./messages.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** The serving workers, ordered by index. */
export class WorkerMembers {
  #all: readonly WorkerHandle[] = [];
  /** The worker that does the work of the whole server. */
  #leader: WorkerHandle | undefined;
  readonly #health = new HealthTable();

  /** All workers; the first one binds first. */
  get all(): readonly WorkerHandle[] {
    return this.#all;
  }

  /** Adds workers. */
  add(workers: readonly WorkerHandle[]): void {
    this.#set(
      [...this.#all, ...workers].filter(({ hasEnded }) => !hasEnded)
        .toSorted((one, other) => one.index - other.index),
    );
    this.sendHealth(workers);
  }

  /** Removes a worker. */
  remove(worker: WorkerHandle): void {
    this.#set(this.#all.filter((other) => other !== worker));
  }

  /**
   * Applies a health report; whether it was a change. All workers are sent a change, otherwise the
   * reporting worker is sent the known state.
   */
  applyHealth(report: HealthReport, worker: WorkerHandle): boolean {
    const isChange = this.#health.accept(report);
    this.sendHealth(isChange ? this.#all : [worker], [this.#health.of(report)]);
    return isChange;
  }

  /** Sends the health of upstreams to workers. */
  sendHealth(
    workers: readonly WorkerHandle[],
    known: readonly KnownHealth[] = this.#health.all,
  ): void {
    if (known.length === 0) return;
    for (const worker of workers) handledElsewhere(worker.request("health", known));
  }

  /** Removes upstreams that are not in this state. */
  keepHealth(state: DesiredState): void {
    this.#health.keep(state);
  }

  /** The first worker leads; it also serves the Unix sockets. */
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
