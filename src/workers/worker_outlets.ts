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
import { RemoteOutlets } from "./remote_outlets.ts";
import { admitSlot, reclaim, type SharedLimits, sharedLimits } from "./shared_counters.ts";
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
  /** Workers whose places others have taken, and whose last connections go on. */
  readonly #retiring = new Set<WorkerHandle>();
  readonly #outlets: RemoteOutlets;
  #maxConnections = Infinity;

  /** No outlets, and no workers yet. */
  constructor(options: WorkerOutletsOptions) {
    this.#options = options;
    this.#outlets = new RemoteOutlets(options.publish);
  }

  /** The open outlets, in the order in which they were asked for. */
  get outlets(): Iterable<RemoteOutlet> {
    return this.#outlets.open.values();
  }

  /** Those that drain. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#outlets.draining.values();
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
    return this.#outlets.find(id);
  }

  /** The open connection of this number. */
  findConnection(id: number): RemoteConnection | undefined {
    return this.#outlets.findConnection(id);
  }

  /** Publishes what has happened at an outlet, once it is published that it listens. */
  tell(event: OutletEvent, outlet: RemoteOutlet): void {
    this.#outlets.tell(event, outlet);
  }

  /** Takes in the first workers, before anything is open. */
  admit(workers: readonly WorkerHandle[]): void {
    this.#members.add(workers);
  }

  /** Accepts what a worker has found out of an upstream, and tells all of them; whether it was news. */
  learn(report: HealthReport, worker: WorkerHandle): boolean {
    return this.#outlets.open.has(report.outlet) && this.#members.learn(report, worker);
  }

  /**
   * Brings a new worker to what is desired; from then on it takes part in every change, and the one whose place it takes
   * in none.
   */
  async join(
    worker: WorkerHandle,
    { state, before }: { state: DesiredState; before: WorkerHandle | undefined },
  ): Promise<void> {
    for (const { limits } of this.#outlets.open.values()) admitSlot(limits, worker.slot);
    admitSlot(this.#options.limits, worker.slot);
    const limits = new Map([...this.#outlets.open].map(([id, outlet]) => [id, outlet.limits]));
    this.#members.tellHealth([worker]);
    const takesOver = before !== undefined && !before.isGone;
    await worker.request("join", { state: shareOf(state, worker), limits, grace: 0, takesOver });
    await this.#options.onBound?.(worker);
    this.#servedBy(worker, state);
    this.#outlets.announce();
    this.admit([worker]);
    if (!before || before.isGone) return;
    this.#members.remove(before);
    this.#retiring.add(before);
    // The next change finds its addresses free.
    await before.request("stopListening", undefined).catch(() => {});
  }

  /** Takes note that a worker is no more: what it counted is given back, and its connections are gone. */
  gone(worker: WorkerHandle, reason: string): void {
    this.#members.remove(worker);
    this.#retiring.delete(worker);
    reclaim(this.#options.limits, worker.slot);
    for (const outlet of [...this.#outlets.all()]) {
      reclaim(outlet.limits, worker.slot);
      for (const connection of [...outlet.connections]) {
        if (connection.worker !== worker) continue;
        outlet.remove(connection.id);
        this.#outlets.tell(connection.lost(outlet, reason), outlet);
      }
      this.#outlets.left(outlet, { worker, cut: 0 });
    }
  }

  /** Lets a worker go whose place another one has taken; resolves once its connections have ended. */
  async retire(worker: WorkerHandle, { grace }: { grace: number }): Promise<number> {
    const cut = await worker.request("stop", { grace }).catch(() => 0);
    this.#retiring.delete(worker);
    for (const { limits } of this.#outlets.all()) reclaim(limits, worker.slot);
    reclaim(this.#options.limits, worker.slot);
    return cut;
  }

  /** Takes note that a worker has drained an outlet. */
  left(id: number, { worker, cut }: { worker: WorkerHandle; cut: number }): void {
    const outlet = this.find(id);
    if (outlet) this.#outlets.left(outlet, { worker, cut });
  }

  /** Makes every worker ready to become what is desired. */
  async prepare(next: DesiredState, { grace }: { grace: number }): Promise<PreparedOutlets> {
    const limits = new Map(
      next.outlets.map((
        { id },
      ) => [id, this.#outlets.open.get(id)?.limits ?? sharedLimits(this.#options.workers)]),
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
    const outlet = this.#outlets.draining.get(id);
    if (!outlet) return 0;
    for (const worker of this.#members.all) {
      handledElsewhere(worker.request("drain", { outlet: id, grace }));
    }
    return await outlet.stopped;
  }

  /** Gives every outlet this long to end, in every worker. */
  async stop({ grace }: { grace: number }): Promise<number> {
    this.#outlets.become(new Map());
    const cuts = await Promise.all(
      [...this.#members.all, ...this.#retiring].map((worker) =>
        worker.request("stop", { grace }).catch(() => 0)
      ),
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
    this.#members.keepHealth(next);
    const open = new Map(next.outlets.map(({ id, name, address = addresses.get(id) }) => [
      id,
      this.#outlets.open.get(id) ??
        new RemoteOutlet({ id, name, address: address!, limits: limits.get(id)! }),
    ]));
    this.#outlets.become(open);
    await change.commit();
    for (const worker of change.workers) this.#servedBy(worker, next);
    this.#outlets.announce();
  }

  #prepare(task: (worker: WorkerHandle) => WorkerTask): Promise<WorkerChange> {
    const { joining } = this.#options;
    return WorkerChange.prepare(task, { joining, members: () => this.#members.all });
  }

  #servedBy(worker: WorkerHandle, state: DesiredState): void {
    if (worker.isGone) return;
    for (const { id } of shareOf(state, worker).outlets) {
      this.#outlets.open.get(id)?.servedBy(worker);
    }
  }
}
