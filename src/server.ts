/**
 * The server: opens every outlet that its config asks for, and stops them again.
 *
 * @module
 */
import type { OutletConfig, ServerConfig, ServerOptions } from "./config/server_config.ts";
import { type BusConfig, busOf, joinBus } from "./server/join_bus.ts";
import { planChange } from "./server/plan.ts";
import { isEqual } from "./config/equal.ts";
import { admissionOptions, outletSettings, serverLimits, tlsAcceptor } from "./server/settings.ts";
import type { Changes, ServerHandle } from "./server/handle.ts";
import { EventBus } from "./events/event_bus.ts";
import type { Bus } from "./chat/bus/bus.ts";
import { Rooms } from "./chat/rooms.ts";
import type { RoomsStatus } from "./chat/status.ts";
import { SERVICES } from "./services/registry.ts";
import type { ServiceContext, Standard } from "./services/service.ts";
import { formatAddress, isUnix } from "./endpoint/address.ts";
import type { Connection, Handler } from "./connection/connection.ts";
import { type DescriptorBudget, descriptorBudget } from "./admission/descriptors.ts";
import { explain } from "./transport/errors.ts";
import { Admission, type AdmissionParts } from "./admission/admission.ts";
import { clearStale } from "./transport/listen.ts";
import { Outlet } from "./outlet/outlet.ts";
import type { TlsAcceptor } from "./transport/tls/acceptor.ts";

/** An outlet's service, opened. */
interface OutletState {
  /** What was asked for. */
  readonly config: OutletConfig;
  /** What serves its clients. */
  readonly handler: Handler;
  /** What shakes hands with them, where it speaks TLS. */
  readonly tls: TlsAcceptor | undefined;
  /** Aborted when the service is opened anew, under other options. */
  readonly replaced: AbortController;
}

/** Standard streams that bring nothing and keep nothing, for a server that has none. */
const SILENCE: Standard = {
  input: {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
    }),
  },
  write: () => Promise.resolve(),
  end: () => {},
};

/** What servers have in common that listen at the same addresses in one process. */
export interface SharedResources {
  /** The counters of an outlet's door, by the address that it was asked to listen on; of the server's own, without one. */
  countersOf(address?: string): AdmissionParts;
  /** Numbers connections. */
  number(): number;
  /** What the descriptor limit of the process allows all of them. */
  readonly descriptors: DescriptorBudget | undefined;
  /** What their rooms reach each other over. */
  readonly bus: Bus;
}

/** What a server is opened with. */
export interface ServerParts {
  /** Told of everything that happens. */
  readonly eventBus?: EventBus;
  /** The standard streams, for services that join clients to them. */
  readonly standard?: Standard | undefined;
  /** What it has in common with others; without it, it is alone. */
  readonly common?: SharedResources;
}

/** A room full of sockets. Disposing it stops it without grace. */
export class Server implements ServerHandle {
  /** The chat rooms that its outlets share. */
  readonly rooms: Rooms = new Rooms();

  readonly #eventBus: EventBus;
  readonly #standard: Standard;
  readonly #common: SharedResources | undefined;
  readonly #descriptors: DescriptorBudget | undefined;
  readonly #admission: Admission;
  #bus: BusConfig = {};
  readonly #outlets = new Map<Outlet, OutletState>();
  readonly #closing = new Map<Outlet, Promise<number>>();

  private constructor(config: ServerConfig, { eventBus, standard, common }: ServerParts) {
    this.#eventBus = eventBus ?? new EventBus();
    this.#standard = standard ?? SILENCE;
    this.#common = common;
    this.#descriptors = common ? common.descriptors : descriptorBudget();
    this.#admission = new Admission(serverLimits(config, this.#descriptors), common?.countersOf());
  }

  /**
   * Opens every outlet, or none: nobody is welcomed before all of them listen.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  static async open(config: ServerConfig, parts: ServerParts = {}): Promise<Server> {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(new Server(config, parts));
    await server.#joinBuses(config.options);
    await server.#openAll(config.outlets);
    undo.move();
    server.#eventBus.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: server.#admission.options.maxConnections ?? Infinity,
      descriptors: server.#descriptors?.limit,
    });
    return server;
  }

  /** The open outlets. */
  get outlets(): Iterable<Outlet> {
    return this.#outlets.keys();
  }

  /** The outlets that have begun to close, and still have connections. */
  get draining(): Iterable<Outlet> {
    return this.#closing.keys();
  }

  /** Every connection that is open now, also those of outlets that drain. */
  *connections(): Generator<{ outlet: Outlet; connection: Connection }> {
    for (const outlet of [...this.#outlets.keys(), ...this.#closing.keys()]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** What the chat rooms and the buses are like right now. */
  roomsStatus(): RoomsStatus {
    return this.rooms.status();
  }

  /**
   * Opens one more outlet.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  async open(config: OutletConfig): Promise<Outlet> {
    const [outlet] = await this.#openAll([config]);
    return outlet!;
  }

  /**
   * Closes one outlet: no new clients, and `grace` milliseconds for those who are there.
   *
   * @returns how many connections had to be cut
   */
  close(outlet: Outlet, { grace }: { grace: number }): Promise<number> {
    this.#outlets.delete(outlet);
    const closed = outlet.stop({ grace }).finally(() => this.#closing.delete(outlet));
    this.#closing.set(outlet, closed);
    return closed;
  }

  /**
   * Becomes what another config asks for. Outlets that are still wanted keep their sockets and connections;
   * what has changed about them holds for their next clients.
   *
   * @throws {Error} which says what can't be had: nothing has changed then, except where an outlet was to
   *   take the address of another
   */
  async change(config: ServerConfig): Promise<Changes> {
    if (!isEqual(busOf(config.options), this.#bus)) {
      throw new Error("the bus cannot change while the server runs: start it anew");
    }
    const there = new Map([...this.#outlets].map(([outlet, { config }]) => [outlet, config]));
    const { unchanged: kept, removed, added: fresh, rebound: moved } = planChange(
      there,
      config.outlets,
    );
    const changed = kept.filter(({ outlet, config }) => !isEqual(there.get(outlet), config));
    using undo = new DisposableStack();
    const renewed = await Promise.all(changed.map(async ({ outlet, config }) => {
      const opening = await this.#prepare(outlet, config);
      const isNew = opening.handler !== this.#outlets.get(outlet)?.handler;
      if (isNew) undo.defer(() => opening.replaced.abort());
      return { outlet, opening };
    }));
    await this.#openAll(fresh);
    undo.move();
    this.#admission.change(serverLimits(config, this.#descriptors));
    for (const { outlet, opening } of renewed) this.#serve(outlet, opening);
    for (const outlet of removed) this.close(outlet, { grace: config.options["drain-timeout"] });
    await Promise.all(removed.map((outlet) => outlet.listenerClosed()));
    await this.#openAll(moved).catch((error) => {
      throw new Error(`${explain(error)}; all else has changed`, { cause: error });
    });
    return {
      opened: fresh.length + moved.length,
      closed: removed.length,
      changed: changed.length,
    };
  }

  /**
   * Stops: no new clients, and `grace` milliseconds for those who are there.
   *
   * @returns how many connections had to be cut
   */
  async stop({ grace }: { grace: number }): Promise<number> {
    for (const outlet of [...this.#closing.keys(), ...this.#outlets.keys()]) {
      this.close(outlet, { grace });
    }
    const cuts = await Promise.all(this.#closing.values());
    await this.rooms[Symbol.asyncDispose]();
    return cuts.reduce((sum, cut) => sum + cut, 0);
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** Lets rooms reach their namesakes in other workers and on other servers, where there are any. */
  async #joinBuses(options: ServerOptions): Promise<void> {
    this.#bus = busOf(options);
    if (this.#common) await this.rooms.attachBus(this.#common.bus);
    await joinBus(this.rooms, { options, eventBus: this.#eventBus });
  }

  async #openAll(configs: readonly OutletConfig[]): Promise<Outlet[]> {
    await using undo = new AsyncDisposableStack();
    for (const { listen } of configs) if (isUnix(listen)) await clearStale(listen.path);
    const bound = configs.map((config) => ({ outlet: undo.use(this.#bind(config)), config }));
    const opened = await Promise.all(bound.map(async ({ outlet, config }) => ({
      outlet,
      opening: await this.#prepare(outlet, config),
    })));
    undo.move();
    for (const { outlet, opening } of opened) this.#serve(outlet, opening);
    return opened.map(({ outlet }) => outlet);
  }

  /** Binds an outlet; who passes its door comes to that of the server. */
  #bind({ name, service, listen, outletOptions, admissionOptions: limits }: OutletConfig): Outlet {
    return new Outlet({
      name: name ?? service,
      listen,
      backlog: outletOptions.backlog,
      mode: outletOptions.mode,
      admission: new Admission(admissionOptions(limits), {
        parent: this.#admission,
        ...this.#common?.countersOf(formatAddress(listen)),
      }),
      eventBus: this.#eventBus,
      ...this.#common ? { shared: true, number: this.#common.number } : {},
    });
  }

  /** Opens the outlet's service, unless it is open just like that. */
  async #prepare(outlet: Outlet, config: OutletConfig): Promise<OutletState> {
    const before = this.#outlets.get(outlet);
    const tls = await tlsAcceptor(
      config.outletOptions,
      (reason) => this.#tellFault(outlet, reason),
    );
    if (before && isEqual(before.config.serviceOptions, config.serviceOptions)) {
      return { ...before, config, tls };
    }
    const superseded = new AbortController();
    const context = contextOf(outlet, {
      rooms: this.rooms,
      eventBus: this.#eventBus,
      standard: this.#standard,
      signal: AbortSignal.any([outlet.stopping, superseded.signal]),
    });
    const handler = SERVICES.get(config.service)!.open(config.serviceOptions, context);
    return { config, handler, tls, replaced: superseded };
  }

  #serve(outlet: Outlet, opening: OutletState): void {
    const before = this.#outlets.get(outlet);
    this.#outlets.set(outlet, opening);
    outlet.admission.change(admissionOptions(opening.config.admissionOptions));
    const failed = (reason: string) => this.#tellFault(outlet, reason);
    outlet.serve(outletSettings(opening.config, { ...opening, failed }));
    if (before && before.handler !== opening.handler) before.replaced.abort();
  }

  #tellFault({ name, address }: Outlet, reason: string): void {
    this.#eventBus.publish({ event: "failed", outlet: name, address, reason });
  }
}

/** What a service may know and tell: one way, towards the event bus. */
function contextOf(
  { name, address }: Outlet,
  { rooms, eventBus, standard, signal }: {
    rooms: Rooms;
    eventBus: EventBus;
    standard: Standard;
    signal: AbortSignal;
  },
): ServiceContext {
  const about = { outlet: name, address };
  return {
    address: formatAddress(address),
    rooms,
    standard,
    signal,
    failed: (reason) => eventBus.publish({ event: "failed", ...about, reason }),
    recovered: (text) => eventBus.publish({ event: "recovered", ...about, text }),
    said: ({ id, peer }, text) =>
      eventBus.publish({ event: "service-output", ...about, connection: id, peer, text }),
  };
}
