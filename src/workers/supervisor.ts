/**
 * A server with several worker threads. Each worker has its own welcome socket at every address
 * (SO_REUSEPORT), and the kernel distributes connections among them.
 *
 * @module
 */
import { knownPassphrases } from "../transport/tls/passphrases.ts";
import { descriptorBudget } from "../admission/descriptors.ts";
import { BroadcastBus } from "../chat/bus/broadcast_bus.ts";
import { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import { checkThreads } from "../config/server_rules.ts";
import { isUnix } from "../endpoint/address.ts";
import type { DesiredState } from "../server/desired_state.ts";
import { joinBus } from "../server/join_bus.ts";
import { ServerControl } from "../server/server_control.ts";
import type { ResolverCounts } from "../transport/resolver.ts";
import { BusRelay } from "./bus_relay.ts";
import { JoiningWorkers } from "./joining_workers.ts";
import type { SharedResources, WorkerMethods, WorkerPort } from "./messages.ts";
import type { RemoteConnection, RemoteOutlet } from "./remote.ts";
import { sharedLimits } from "./shared_counters.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import { WorkerEvents } from "./worker_events.ts";
import { WorkerOutlets } from "./worker_outlets.ts";
import { WorkerPool } from "./worker_pool.ts";
import type { WorkerLoss } from "./worker_pool_options.ts";
import type { SupervisorOptions } from "./supervisor_options.ts";
import { WorkerReports } from "./worker_reports.ts";
import { SocketFiles } from "./socket_files.ts";
import { WorkerSockets } from "./worker_sockets.ts";

/** The reason in `worker-restarted` for a requested restart. */
const RESTART_REASON = "all workers are being restarted";

/** A server whose outlets are served by worker threads. */
export class Supervisor extends ServerControl<RemoteConnection, RemoteOutlet> {
  /** The chat rooms, which include the members of all workers. */
  readonly rooms: Rooms = new Rooms();
  /** The outlets. */
  protected readonly outletManager: WorkerOutlets;

  readonly #shared: SharedResources;
  readonly #pool: WorkerPool;
  readonly #sockets: WorkerSockets | undefined;
  readonly #files = new SocketFiles();
  readonly #joining = new JoiningWorkers();
  readonly #reports = new WorkerReports(this.rooms);

  private constructor(config: ServerConfig, options: SupervisorOptions) {
    super(config, options);
    const { workers, eventBus, module, wait, joinRooms = true } = options;
    this.#shared = {
      numbers: new BigInt64Array(new SharedArrayBuffer(8)),
      limits: sharedLimits(workers),
      descriptors: descriptorBudget(),
      channel: joinRooms ? crypto.randomUUID() : undefined,
      loopDelay: this.loopDelay.memory,
      passphrases: knownPassphrases,
    };
    // The sockets of workers can be found only if they are threads of this process.
    this.#sockets = options.spawn ? undefined : new WorkerSockets();
    this.outletManager = new WorkerOutlets({
      workers,
      limits: this.#shared.limits,
      descriptors: this.#shared.descriptors,
      joining: this.#joining,
      publish: (event) => eventBus.publish(event),
      onBound: (worker, paths) => this.#noteSockets(worker, paths),
    });
    const events = new WorkerEvents({ outlets: this.outletManager, eventBus });
    this.#pool = new WorkerPool({
      count: workers,
      spawn: options.spawn ??
        ((index) => startThread(module ?? new URL("./worker.ts", import.meta.url), index)),
      wait,
      silence: options.silence,
      start: (worker) => worker.request("start", this.#startTask(worker)),
      join: (worker, before) => this.#join(worker, before),
      onMessage: (message, worker) => {
        events.receive(message, worker);
        this.#reports.receive(message, worker);
      },
      onGone: (worker, loss) => this.#onLost(worker, loss),
      onRetired: (worker) => this.#onRetired(worker),
      releaseSockets: (worker) => this.#shutDownSockets(worker),
      onFatal: (error) => this.end.fail(error),
    });
  }

  /**
   * Opens all outlets in all workers, or none.
   *
   * @throws {Error} with the address that cannot be bound, and the reason
   */
  static async open(config: ServerConfig, options: SupervisorOptions): Promise<Supervisor> {
    checkThreads(config.outlets);
    await using undo = new AsyncDisposableStack();
    const supervisor = undo.use(new Supervisor(config, options));
    const { channel, descriptors } = supervisor.#shared;
    if (channel) await supervisor.rooms.attachBus(new BroadcastBus(channel));
    const { eventBus } = options;
    const bus = await joinBus(supervisor.rooms, { options: config.options, eventBus });
    if (bus) supervisor.#reports.bus = new BusRelay(bus);
    supervisor.outletManager.admit(await supervisor.#pool.start());
    await supervisor.start(config);
    undo.move();
    eventBus.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: supervisor.outletManager.maxConnections,
      descriptors: descriptors?.limit,
      ...options.http,
    });
    return supervisor;
  }

  /** The status of the chat rooms and buses; what workers report is up to a second old. */
  override roomsStatus(): RoomsStatus {
    return this.#reports.roomsStatus();
  }

  /** The resolver counts of the supervisor and all workers. */
  override resolverCounts(): ResolverCounts {
    return this.#reports.resolverCounts(super.resolverCounts());
  }

  /** Opens outlets in every worker. */
  override async open(...configs: readonly OutletConfig[]): Promise<readonly RemoteOutlet[]> {
    checkThreads(configs);
    return await super.open(...configs);
  }

  /**
   * Replaces the workers one after the other. The new one accepts before the old one stops, and the
   * old one's connections may drain for `grace` milliseconds.
   *
   * @returns the number of aborted connections
   * @throws {Error} if a new worker cannot be started
   */
  override async restart(
    { grace = this.desired.options["drain-timeout"] }: { grace?: number } = {},
  ): Promise<number> {
    let aborted = 0;
    await this.#pool.renew(async (worker) => {
      const { index } = worker;
      this.eventBus.publish({ event: "worker-restarted", worker: index, reason: RESTART_REASON });
      aborted += await this.outletManager.retire(worker, { grace });
    });
    return aborted;
  }

  /** Stops every worker. */
  override async stop({ grace }: { grace: number }): Promise<number> {
    this.#pool.stop();
    this.#joining.stop();
    const aborted = await super.stop({ grace });
    this.#pool[Symbol.dispose]();
    return aborted;
  }

  /** Validates another config before it is prepared. */
  protected override check(config: ServerConfig, before: DesiredState): void {
    checkThreads(config.outlets);
    super.check(config, before);
    if (config.options.workers === before.options.workers) return;
    throw new Error(
      "the number of workers cannot change while the server runs: restart the server",
    );
  }

  #startTask({ slot }: WorkerHandle): Parameters<WorkerMethods["start"]>[0] {
    return { state: this.desired, shared: this.#shared, slot };
  }

  #join(worker: WorkerHandle, before?: WorkerHandle): Promise<void> {
    return this.#joining.add(
      () => this.outletManager.join(worker, { state: this.desired, before }),
      (join) => this.between(join),
    );
  }

  async #noteSockets(worker: WorkerHandle, paths: readonly string[]): Promise<void> {
    await this.#files.note(worker, paths);
    await this.#sockets?.note(worker);
  }

  /** Shuts down the welcome sockets of a worker that hangs. */
  async #shutDownSockets(worker: WorkerHandle): Promise<void> {
    if (!this.#sockets) throw new Error("its sockets are unknown");
    await this.#sockets.shutDown(worker, this.#ports());
  }

  #ports(): Set<number> {
    const outlets = [...this.outlets, ...this.draining];
    return new Set(outlets.flatMap(({ address }) => isUnix(address) ? [] : [address.port]));
  }

  #onLost(worker: WorkerHandle, { reason, hangs }: WorkerLoss): void {
    this.eventBus.publish({ event: "worker-restarted", worker: worker.index, reason });
    this.#reports.remove(worker);
    if (!hangs) this.#sockets?.forget(worker);
    this.#files.remove(worker);
    this.outletManager.lost(worker, hangs ? "error: worker hangs" : "error: worker died");
    this.#joining.lost(reason);
  }

  #onRetired(worker: WorkerHandle): void {
    this.#reports.remove(worker);
    this.#sockets?.forget(worker);
    this.#files.remove(worker);
    this.outletManager.lost(worker, "drain timeout");
  }
}

function startThread(module: URL, index: number): WorkerPort {
  return new Worker(module, { type: "module", name: `worker ${index}` }) as WorkerPort;
}
