/**
 * The outlets of a supervisor. Each change applies in all workers or in none.
 *
 * @module
 */
import type { DescriptorBudget } from "../admission/descriptors.ts";
import { isUnix } from "../endpoint/address.ts";
import type { OutletEvent } from "../events/events.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { configOf, type DesiredState } from "../server/desired_state.ts";
import type { OutletManager, PreparedOutlets } from "../server/outlet_manager.ts";
import { serverLimits } from "../server/settings.ts";
import type { Addresses, HealthReport, WorkerTask } from "./messages.ts";
import { type RemoteConnection, RemoteOutlet } from "./remote.ts";
import { RemoteOutlets } from "./remote_outlets.ts";
import { admitSlot, reclaim, type SharedLimits, sharedLimits } from "./shared_counters.ts";
import { isOfOneWorker, shareOf, WorkerChange } from "./worker_change.ts";
import type { JoiningWorkers } from "./joining_workers.ts";
import { WorkerMembers } from "./worker_members.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Options of {@linkcode WorkerOutlets}. */
export interface WorkerOutletsOptions {
  /** The number of workers. */
  readonly workers: number;
  /** The counters of the server-wide limits. */
  readonly limits: SharedLimits;
  /** The descriptor budget of the process. */
  readonly descriptors: DescriptorBudget | undefined;
  /** Publishes an event. */
  publish(event: OutletEvent): void;
  /** Workers that are ready to join. */
  readonly joining: JoiningWorkers;
  /**
   * Called when a worker has bound its sockets, before the next one binds; with the paths of its
   * Unix sockets.
   */
  onBound?(worker: WorkerHandle, paths: readonly string[]): Promise<void>;
}

/** The outlets by id, and the workers that serve them. */
export class WorkerOutlets implements OutletManager<RemoteOutlet> {
  readonly #options: WorkerOutletsOptions;
  /** The workers that serve the desired state. */
  readonly #members = new WorkerMembers();
  /** Replaced workers whose last connections drain. */
  readonly #retiring = new Set<WorkerHandle>();
  readonly #outlets: RemoteOutlets;
  #maxConnections = Infinity;

  /** No outlets and no workers. */
  constructor(options: WorkerOutletsOptions) {
    this.#options = options;
    this.#outlets = new RemoteOutlets(options.publish);
  }

  /** The open outlets, in the order of the config. */
  get outlets(): Iterable<RemoteOutlet> {
    return this.#outlets.open.values();
  }

  /** The draining outlets. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#outlets.draining.values();
  }

  /** The most connections at the same time, in all outlets together. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** The serving workers. */
  get members(): readonly WorkerHandle[] {
    return this.#members.all;
  }

  /** The outlet with this id, open or draining. */
  find(id: number): RemoteOutlet | undefined {
    return this.#outlets.find(id);
  }

  /** The open connection with this id. */
  findConnection(id: number): RemoteConnection | undefined {
    return this.#outlets.findConnection(id);
  }

  /** Publishes an event of an outlet, after its `listening` event. */
  publish(event: OutletEvent, outlet: RemoteOutlet): void {
    this.#outlets.publish(event, outlet);
  }

  /** Adds workers. */
  admit(workers: readonly WorkerHandle[]): void {
    this.#members.add(workers);
  }

  /** Applies a health report, and sends a change to all workers; whether it was a change. */
  applyHealth(report: HealthReport, worker: WorkerHandle): boolean {
    return this.#outlets.open.has(report.outlet) && this.#members.applyHealth(report, worker);
  }

  /** Brings a new worker to the desired state. The one it replaces (`before`) stops listening. */
  async join(
    worker: WorkerHandle,
    { state, before }: { state: DesiredState; before: WorkerHandle | undefined },
  ): Promise<void> {
    for (const { limits } of this.#outlets.open.values()) admitSlot(limits, worker.slot);
    admitSlot(this.#options.limits, worker.slot);
    const limits = new Map([...this.#outlets.open].map(([id, outlet]) => [id, outlet.limits]));
    this.#members.sendHealth([worker]);
    const takesOver = before !== undefined && !before.hasEnded;
    await worker.request("join", { state: shareOf(state, worker), limits, grace: 0, takesOver });
    await this.#onBound(worker, state);
    this.#addWorker(worker, state);
    this.#outlets.announce();
    this.admit([worker]);
    if (!before || before.hasEnded) return;
    this.#members.remove(before);
    this.#retiring.add(before);
    // Frees its addresses for the next change.
    await before.request("stopListening", undefined).catch(() => {});
  }

  /** Removes a worker that has ended, and publishes its connections as closed. */
  lost(worker: WorkerHandle, reason: string): void {
    this.#members.remove(worker);
    this.#retiring.delete(worker);
    reclaim(this.#options.limits, worker.slot);
    for (const outlet of [...this.#outlets.all()]) {
      reclaim(outlet.limits, worker.slot);
      for (const connection of [...outlet.connections]) {
        if (connection.worker !== worker) continue;
        outlet.remove(connection.id);
        this.#outlets.publish(connection.closedEvent(outlet, reason), outlet);
      }
      this.#outlets.removeWorker(outlet, { worker, aborted: 0 });
    }
  }

  /** Stops a replaced worker; resolves to the number of aborted connections. */
  async retire(worker: WorkerHandle, { grace }: { grace: number }): Promise<number> {
    const aborted = await worker.request("stop", { grace }).catch(() => 0);
    this.#retiring.delete(worker);
    for (const { limits } of this.#outlets.all()) reclaim(limits, worker.slot);
    reclaim(this.#options.limits, worker.slot);
    return aborted;
  }

  /** Removes a worker that has drained an outlet. */
  removeWorker(id: number, { worker, aborted }: { worker: WorkerHandle; aborted: number }): void {
    const outlet = this.find(id);
    if (outlet) this.#outlets.removeWorker(outlet, { worker, aborted });
  }

  /** Prepares a change in every worker. */
  async prepare(next: DesiredState, { grace }: { grace: number }): Promise<PreparedOutlets> {
    const limits = new Map(
      next.outlets.map((
        { id },
      ) => [id, this.#outlets.open.get(id)?.limits ?? sharedLimits(this.#options.workers)]),
    );
    const task = (worker: WorkerHandle) => ({ state: shareOf(next, worker), limits, grace });
    const onBound = (worker: WorkerHandle) => this.#onBound(worker, next);
    let change = await this.#prepare(task);
    let addresses: Addresses = new Map();
    return {
      bind: async () => {
        let found = await change.bind(onBound);
        while (!found) {
          // All workers have ended: start over with their replacements.
          change = await this.#prepare(task);
          found = await change.bind(onBound);
        }
        const ofOneWorker = next.outlets.filter(isOfOneWorker);
        addresses = new Map([
          ...ofOneWorker.map(({ id, config }) => [id, config.listen] as const),
          ...found,
        ]);
      },
      commit: () => this.#commit(next, { change, limits, addresses }),
      undo: () => change.undo(),
      get addresses() {
        return addresses;
      },
    };
  }

  /** Shortens the grace period of a draining outlet; resolves once it is closed everywhere. */
  async drain(id: number, { grace }: { grace: number }): Promise<number> {
    const outlet = this.#outlets.draining.get(id);
    if (!outlet) return 0;
    for (const worker of this.#members.all) {
      handledElsewhere(worker.request("drain", { outlet: id, grace }));
    }
    return await outlet.stopped;
  }

  /** Stops all workers; resolves to the number of aborted connections. */
  async stop({ grace }: { grace: number }): Promise<number> {
    this.#outlets.replace(new Map());
    const counts = await Promise.all(
      [...this.#members.all, ...this.#retiring].map((worker) =>
        worker.request("stop", { grace }).catch(() => 0)
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #commit(
    next: DesiredState,
    { change, limits, addresses }: {
      change: WorkerChange;
      limits: WorkerTask["limits"];
      addresses: Addresses;
    },
  ): Promise<void> {
    const { descriptors } = this.#options;
    this.#maxConnections = serverLimits(configOf(next), descriptors).maxConnections ?? Infinity;
    this.#members.keepHealth(next);
    const open = new Map(next.outlets.map(({ id, name, address = addresses.get(id) }) => [
      id,
      this.#outlets.open.get(id) ??
        new RemoteOutlet({ id, name, address: address!, limits: limits.get(id)! }),
    ]));
    this.#outlets.replace(open);
    await change.commit();
    for (const worker of change.workers) this.#addWorker(worker, next);
    this.#outlets.announce();
  }

  #prepare(task: (worker: WorkerHandle) => WorkerTask): Promise<WorkerChange> {
    const { joining } = this.#options;
    return WorkerChange.prepare(task, { joining, members: () => this.#members.all });
  }

  async #onBound(worker: WorkerHandle, state: DesiredState): Promise<void> {
    const paths = shareOf(state, worker).outlets.flatMap(({ config: { listen } }) =>
      isUnix(listen) ? [listen.path] : []
    );
    await this.#options.onBound?.(worker, paths);
  }

  #addWorker(worker: WorkerHandle, state: DesiredState): void {
    if (worker.hasEnded) return;
    for (const { id } of shareOf(state, worker).outlets) {
      this.#outlets.open.get(id)?.addWorker(worker);
    }
  }
}
