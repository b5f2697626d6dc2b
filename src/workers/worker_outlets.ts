/**
 * The outlets of a supervisor: each is served by several workers, and becomes another in all of them or in none.
 *
 * @module
 */
import type { DescriptorBudget } from "../admission/descriptors.ts";
import { isUnix } from "../endpoint/address.ts";
import type { OutletEvent } from "../events/events.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { configOf, type DesiredState } from "../server/desired_state.ts";
import type { OutletHost, PreparedOutlets } from "../server/outlet_host.ts";
import { serverLimits } from "../server/settings.ts";
import type { Addresses, HealthReport, WorkerTask } from "./messages.ts";
import { type RemoteConnection, RemoteOutlet } from "./remote.ts";
import {
  admitSlot,
  closeShare,
  reclaim,
  type SharedLimits,
  sharedLimits,
} from "./shared_counters.ts";
import { shareOf, WorkerChange } from "./worker_change.ts";
import type { JoiningWorkers } from "./joining_workers.ts";
import { WorkerMembers } from "./worker_members.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** What outlets need beside their workers. */
export interface WorkerOutletsOptions {
  /** How many workers there are. */
  readonly workers: number;
  /** The counters of the server's limits. */
  readonly limits: SharedLimits;
  /** What the descriptor limit of the process allows. */
  readonly descriptors: DescriptorBudget | undefined;
  /** Tells what happens. */
  publish(event: OutletEvent): void;
  /** Workers that are ready to join. */
  readonly joining: JoiningWorkers;
  /** Told once a worker has bound its sockets, before another one binds. */
  onBound?(worker: WorkerHandle): Promise<void>;
}

/** Outlets by number, and the workers that serve them. */
export class WorkerOutlets implements OutletHost<RemoteOutlet> {
  readonly #options: WorkerOutletsOptions;
  /** The workers that are what is desired. */
  readonly #members = new WorkerMembers();
  #open: ReadonlyMap<number, RemoteOutlet> = new Map();
  readonly #draining = new Map<number, RemoteOutlet>();
  #maxConnections = Infinity;

  /** No outlets, and no workers yet. */
  constructor(options: WorkerOutletsOptions) {
    this.#options = options;
  }

  /** The open outlets, in the order in which they were asked for. */
  get outlets(): Iterable<RemoteOutlet> {
    return this.#open.values();
  }

  /** Those that drain. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#draining.values();
  }

  /** How many connections all of them take at the same time. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** The workers that serve. */
  get members(): readonly WorkerHandle[] {
    return this.#members.all;
  }

  /** The outlet of this number, open or draining. */
  find(id: number): RemoteOutlet | undefined {
    return this.#open.get(id) ?? this.#draining.get(id);
  }

  /** The open connection of this number. */
  findConnection(id: number): RemoteConnection | undefined {
    for (const outlet of this.#all()) {
      const connection = outlet.find(id);
      if (connection) return connection;
    }
  }

  /** Takes in the first workers, before anything is open. */
  admit(workers: readonly WorkerHandle[]): void {
    this.#members.add(workers);
  }

  /** Accepts what a worker has found out of an upstream, and tells all of them; whether it was news. */
  learn(report: HealthReport, worker: WorkerHandle): boolean {
    return this.#open.has(report.outlet) && this.#members.learn(report, worker);
  }

  /** Brings a new worker to what is desired; from then on it takes part in every change. */
  async join(worker: WorkerHandle, state: DesiredState): Promise<void> {
    for (const { limits } of this.#open.values()) admitSlot(limits, worker.slot);
    admitSlot(this.#options.limits, worker.slot);
    const limits = new Map([...this.#open].map(([id, outlet]) => [id, outlet.limits]));
    this.#members.tellHealth([worker]);
    await worker.request("join", { state: shareOf(state, worker), limits, grace: 0 });
    await this.#options.onBound?.(worker);
    this.#servedBy(worker, state);
    this.#announce();
    this.admit([worker]);
  }

  /** Takes note that a worker is no more: what it counted is given back, and its connections are gone. */
  gone(worker: WorkerHandle, reason: string): void {
    this.#members.remove(worker);
    reclaim(this.#options.limits, worker.slot);
    for (const outlet of [...this.#all()]) {
      reclaim(outlet.limits, worker.slot);
      for (const connection of [...outlet.connections]) {
        if (connection.worker !== worker) continue;
        outlet.remove(connection.id);
        this.#options.publish(connection.lost(outlet, reason));
      }
      if (outlet.left(worker, 0)) this.#finish(outlet);
    }
  }

  /** Lets a worker go whose place another one has taken; resolves once its connections have ended. */
  async retire(worker: WorkerHandle, { grace }: { grace: number }): Promise<number> {
    this.#members.remove(worker);
    const cut = await worker.request("stop", { grace });
    for (const { limits } of this.#all()) closeShare(limits, worker.slot);
    closeShare(this.#options.limits, worker.slot);
    return cut;
  }

  /** Takes note that a worker has drained an outlet. */
  left(id: number, { worker, cut }: { worker: WorkerHandle; cut: number }): void {
    const outlet = this.find(id);
    if (outlet?.left(worker, cut)) this.#finish(outlet);
  }

  /** Makes every worker ready to become what is desired. */
  async prepare(next: DesiredState, { grace }: { grace: number }): Promise<PreparedOutlets> {
    const limits = new Map(
      next.outlets.map((
        { id },
      ) => [id, this.#open.get(id)?.limits ?? sharedLimits(this.#options.workers)]),
    );
    const task = (worker: WorkerHandle) => ({ state: shareOf(next, worker), limits, grace });
    const { onBound } = this.#options;
    let change = await this.#prepare(task);
    let addresses: Addresses = new Map();
    return {
      bind: async () => {
        let found = await change.bind(onBound);
        while (!found) {
          // All of them have ended: those that come in their places begin from the start.
          change = await this.#prepare(task);
          found = await change.bind(onBound);
        }
        const unbound = next.outlets.filter(({ config: { listen } }) => isUnix(listen));
        addresses = new Map([
          ...unbound.map(({ id, config }) => [id, config.listen] as const),
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

  /** Gives an outlet that drains less time; resolves once it is gone in every worker. */
  async drain(id: number, { grace }: { grace: number }): Promise<number> {
    const outlet = this.#draining.get(id);
    if (!outlet) return 0;
    for (const worker of this.#members.all) {
      handledElsewhere(worker.request("drain", { outlet: id, grace }));
    }
    return await outlet.stopped;
  }

  /** Gives every outlet this long to end, in every worker. */
  async stop({ grace }: { grace: number }): Promise<number> {
    for (const outlet of this.#open.values()) this.#beginToDrain(outlet);
    this.#open = new Map();
    const cuts = await Promise.all(
      this.#members.all.map((worker) => worker.request("stop", { grace }).catch(() => 0)),
    );
    return cuts.reduce((sum, cut) => sum + cut, 0);
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
    const before = this.#open;
    this.#members.keepHealth(next);
    this.#open = new Map(next.outlets.map(({ id, name, address = addresses.get(id) }) => [
      id,
      before.get(id) ?? new RemoteOutlet({ id, name, address: address!, limits: limits.get(id)! }),
    ]));
    for (const [id, outlet] of before) if (!this.#open.has(id)) this.#beginToDrain(outlet);
    await change.commit();
    for (const worker of change.workers) this.#servedBy(worker, next);
    this.#announce();
  }

  /** Tells of the outlets that are new that they listen; of one that has lost all workers, once it has another. */
  #announce(): void {
    for (const outlet of this.#open.values()) {
      for (const event of outlet.announced()) this.#options.publish(event);
    }
  }

  #prepare(task: (worker: WorkerHandle) => WorkerTask): Promise<WorkerChange> {
    const { joining } = this.#options;
    return WorkerChange.prepare(task, { joining, members: () => this.#members.all });
  }

  #servedBy(worker: WorkerHandle, state: DesiredState): void {
    if (worker.isGone) return;
    for (const { id } of shareOf(state, worker).outlets) this.#open.get(id)?.servedBy(worker);
  }

  #beginToDrain(outlet: RemoteOutlet): void {
    this.#draining.set(outlet.id, outlet);
    if (outlet.stop()) this.#finish(outlet);
  }

  #finish(outlet: RemoteOutlet): void {
    if (!this.#draining.delete(outlet.id)) return;
    this.#options.publish({ event: "stopped", ...outlet.about, cut: outlet.cut });
  }

  *#all(): Generator<RemoteOutlet> {
    yield* this.#open.values();
    yield* this.#draining.values();
  }
}
