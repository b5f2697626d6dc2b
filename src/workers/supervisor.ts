/**
 * A server whose clients are spread over several threads. Each worker has a welcome socket of its own at every
 * address (SO_REUSEPORT), and the kernel deals the clients out.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { joinBus } from "../server/join_bus.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import { serverLimits } from "../server/settings.ts";
import type { Changes, ServerHandle } from "../server/handle.ts";
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { UsageError } from "../options/usage_error.ts";
import { BroadcastBus } from "../chat/bus/broadcast_bus.ts";
import { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import { formatAddress, isUnix } from "../endpoint/address.ts";
import { descriptorBudget } from "../admission/descriptors.ts";
import { explain } from "../transport/errors.ts";
import { BusTotals } from "./bus_totals.ts";
import { WorkerHandle } from "./worker_handle.ts";
import { reclaim, sharedLimits } from "./shared_counters.ts";
import type { SharedResources, WorkerMessage } from "./messages.ts";
import { RemoteConnection, type RemoteOutlet } from "./remote.ts";
import { OutletRegistry } from "./outlet_registry.ts";

/** How a supervisor is opened. */
export interface SupervisorOptions {
  /** How many workers there are. */
  readonly workers: number;
  /** Told of everything that happens in any of them. */
  readonly eventBus: EventBus;
  /** The module that workers run. */
  readonly module?: URL;
}

/** The pause before a worker that died is replaced, in milliseconds; it doubles while it dies at once. */
const BACK_OFF = { first: 10, last: 5_000 };

/** A room full of sockets, served by several threads that look like one. */
export class Supervisor implements ServerHandle {
  /** The chat rooms, which reach into all workers. */
  readonly rooms: Rooms = new Rooms();

  readonly #eventBus: EventBus;
  readonly #options: Required<SupervisorOptions>;
  readonly #shared: SharedResources;
  readonly #workers: WorkerHandle[] = [];
  readonly #registry: OutletRegistry;
  readonly #buses = new BusTotals();
  #config: ServerConfig;
  #backOff: number = BACK_OFF.first;
  #diedAt = -Infinity;
  readonly #stopping = new AbortController();

  private constructor(config: ServerConfig, options: SupervisorOptions) {
    this.#config = config;
    this.#eventBus = options.eventBus;
    this.#options = { module: new URL("./worker.ts", import.meta.url), ...options };
    this.#registry = new OutletRegistry(options.workers);
    this.#shared = {
      numbers: new Int32Array(new SharedArrayBuffer(4)),
      limits: sharedLimits(options.workers),
      descriptors: descriptorBudget(),
      channel: crypto.randomUUID(),
    };
  }

  /**
   * Opens every outlet in every worker, or none.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  static async open(config: ServerConfig, options: SupervisorOptions): Promise<Supervisor> {
    checkServices(config);
    await using undo = new AsyncDisposableStack();
    const supervisor = undo.use(new Supervisor(config, options));
    const { channel, descriptors } = supervisor.#shared;
    await supervisor.rooms.attachBus(new BroadcastBus(channel));
    await joinBus(supervisor.rooms, { options: config.options, eventBus: options.eventBus });
    using prepared = supervisor.#registry.prepare(config.outlets);
    for (let index = 0; index < options.workers; index++) {
      supervisor.#workers.push(supervisor.#startWorker(index));
    }
    // The first one finds out whether all of it can be had.
    for (const worker of supervisor.#workers) await supervisor.#open(worker, prepared.outlets);
    prepared.commit();
    undo.move();
    options.eventBus.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: serverLimits(config, descriptors).maxConnections ?? Infinity,
      descriptors: descriptors?.limit,
    });
    return supervisor;
  }

  /** The open outlets. */
  get outlets(): Iterable<RemoteOutlet> {
    return this.#registry.outlets;
  }

  /** The outlets that have begun to close, and still have connections. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#registry.draining;
  }

  /** Every connection that is open now in any worker. */
  *connections(): Generator<{ outlet: RemoteOutlet; connection: RemoteConnection }> {
    for (const outlet of [...this.outlets, ...this.draining]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** What the chat rooms and the buses are like right now, as far as workers have told: a second ago at most. */
  roomsStatus(): RoomsStatus {
    const { rooms, buses } = this.rooms.status();
    return { rooms, buses: this.#buses.sum(buses) };
  }

  /** Opens one more outlet. */
  async open(config: OutletConfig): Promise<RemoteOutlet> {
    await this.change({ ...this.#config, outlets: [...this.#config.outlets, config] });
    return [...this.outlets].at(-1)!;
  }

  /** Closes one outlet in every worker. */
  async close(outlet: RemoteOutlet, { grace }: { grace: number }): Promise<number> {
    const config = this.#registry.close(outlet);
    this.#config = {
      ...this.#config,
      outlets: this.#config.outlets.filter((other) => other !== config),
    };
    const address = formatAddress(outlet.address);
    return await this.#all((worker) => worker.request("close", { address, grace }));
  }

  /**
   * Becomes what another config asks for, in every worker.
   *
   * @throws {Error} which says what can't be had: nothing has changed then
   */
  async change(config: ServerConfig): Promise<Changes> {
    checkServices(config);
    if (config.options.workers !== this.#config.options.workers) {
      throw new Error("the number of workers cannot change while the server runs: start it anew");
    }
    using prepared = this.#registry.prepare(config.outlets);
    const [first, ...others] = this.#workers;
    const asked = (worker: WorkerHandle) => ({
      config: { ...config, outlets: shareOf(prepared.outlets, worker) },
      doors: this.#registry.limits,
    });
    const changes = await first!.request("change", asked(first!));
    await Promise.all(others.map((worker) => worker.request("change", asked(worker))));
    prepared.commit();
    this.#config = config;
    return changes;
  }

  /** Stops every worker. */
  async stop({ grace }: { grace: number }): Promise<number> {
    this.#stopping.abort();
    for (const outlet of this.outlets) outlet.stop();
    const cut = await this.#all((worker) => worker.request("stop", { grace }));
    // Their last words are on their way before the answer.
    for (const worker of this.#workers.splice(0)) worker[Symbol.dispose]();
    await this.rooms[Symbol.asyncDispose]();
    return cut;
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** The sum of what all answer; one that dies over it counts nothing. */
  async #all(ask: (worker: WorkerHandle) => Promise<number>): Promise<number> {
    const answers = await Promise.all(this.#workers.map((worker) => ask(worker).catch(() => 0)));
    return answers.reduce((sum, answer) => sum + answer, 0);
  }

  #startWorker(index: number): WorkerHandle {
    const worker: WorkerHandle = new WorkerHandle({
      module: this.#options.module,
      index,
      onMessage: (told) => this.#receive(told, worker),
      onDied: (reason) => void this.#replace(worker, reason),
    });
    return worker;
  }

  async #open(worker: WorkerHandle, outlets: readonly OutletConfig[]): Promise<void> {
    await worker.request("open", {
      config: { ...this.#config, outlets: shareOf(outlets, worker) },
      doors: this.#registry.limits,
      shared: this.#shared,
      place: { index: worker.index, count: this.#options.workers },
    });
  }

  #receive(told: WorkerMessage, worker: WorkerHandle): void {
    switch (told.type) {
      case "events":
        for (const event of told.events) this.#forward(event, worker);
        break;
      case "counts":
        this.#count(told.counts);
        break;
      case "room":
        if (told.isPublic) this.rooms.open(told.name);
        else this.rooms.openPrivate(told.name);
        break;
      case "buses":
        this.#buses.note(worker.index, told.buses);
        break;
      case "bytes":
        this.#registry.find(told.connection)?.show(told.way, told.bytes);
    }
  }

  /** Passes on what a worker tells, as if one server told it: what all of them tell is told once. */
  #forward(event: OutletEvent, worker: WorkerHandle): void {
    switch (event.event) {
      case "listening":
        if (this.#registry.at(event.address)?.opened(worker.index)) this.#eventBus.publish(event);
        break;
      case "stopped":
        this.#stopped(this.#registry.at(event.address), worker, event.cut);
        break;
      case "opened":
        this.#registry.at(event.address)?.add(new RemoteConnection(event, worker));
        this.#eventBus.publish(event);
        break;
      case "closed":
        this.#registry.at(event.address)?.remove(event.connection);
        this.#eventBus.publish(event);
        break;
      case "ready":
      case "bus-connected":
      case "bus-disconnected":
      case "bus-permission-denied":
        break;
      default:
        this.#eventBus.publish(event);
    }
  }

  /** The last worker's word that an outlet is closed is the supervisor's. */
  #stopped(outlet: RemoteOutlet | undefined, worker: WorkerHandle, cut: number): void {
    const all = outlet?.left(worker.index, cut);
    if (!outlet || all === undefined) return;
    this.#registry.closed(outlet);
    const { name, address } = outlet;
    this.#eventBus.publish({ event: "stopped", outlet: name, address, cut: all });
  }

  /** Puts another worker in the place of one that died, whose connections have died with it. */
  async #replace(dead: WorkerHandle, reason: string): Promise<void> {
    const place = { index: dead.index, count: this.#options.workers };
    this.#eventBus.publish({ event: "worker-restarted", worker: dead.index, reason });
    reclaim(this.#shared.limits, place);
    this.#buses.died(dead.index);
    this.#registry.reclaim(place);
    for (const outlet of this.#registry.all()) {
      for (const connection of [...outlet.connections]) {
        if (connection.worker !== dead) continue;
        outlet.remove(connection.id);
        this.#eventBus.publish(connection.lost(outlet));
      }
      if (outlet.stopping.aborted) this.#stopped(outlet, dead, 0);
      else outlet.left(dead.index, 0);
    }
    await this.#waitBackOff(performance.now() - this.#diedAt);
    if (this.#stopping.signal.aborted) return;
    const worker = this.#workers[dead.index] = this.#startWorker(dead.index);
    await this.#open(worker, this.#registry.resolved).catch((error) => {
      // Where it died, that has been seen to.
      if (worker.hasExited) return;
      worker[Symbol.dispose]();
      if (!this.#stopping.signal.aborted) this.#replace(worker, explain(error));
    });
  }

  /** Waits a little, the longer the sooner workers die one after the other. */
  async #waitBackOff(sinceLast: number): Promise<void> {
    this.#backOff = sinceLast > BACK_OFF.last * 2
      ? BACK_OFF.first
      : Math.min(this.#backOff * 2, BACK_OFF.last);
    this.#diedAt = performance.now();
    await delay(this.#backOff, { signal: this.#stopping.signal }).catch(() => {});
  }

  #count(counts: Float64Array): void {
    for (let at = 0; at < counts.length; at += 4) {
      const connection = this.#registry.find(counts[at]!);
      if (!connection) continue;
      connection.bytesIn = counts[at + 1]!;
      connection.bytesOut = counts[at + 2]!;
      connection.halfClosed = counts[at + 3] === 1;
    }
  }
}

/** What a worker is asked for: a Unix socket has one worker, for its path can be bound once. */
function shareOf(outlets: readonly OutletConfig[], { index }: WorkerHandle): OutletConfig[] {
  return outlets.filter(({ listen }) => index === 0 || !isUnix(listen));
}

function checkServices({ outlets }: ServerConfig): void {
  if (outlets.some(({ service }) => service === "stdio")) {
    throw new UsageError("--workers beside stdio: there is one standard input, so leave it out");
  }
}
