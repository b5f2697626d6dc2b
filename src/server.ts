/**
 * The server: opens every outlet that its config asks for, and stops them again.
 *
 * @module
 */
import type { OutletConfig, ServerConfig, ServerOptions } from "./config/server_config.ts";
import { type BusConfig, busOf, joinBus } from "./config/bus.ts";
import { isEqual, planChange } from "./config/plan.ts";
import { gateOf, limitsOf, termsOf, tlsOf } from "./config/terms.ts";
import type { Changes, Host } from "./host.ts";
import { Journal } from "./observe/journal.ts";
import type { Bus } from "./room/bus.ts";
import { Rooms } from "./room/rooms.ts";
import type { RoomsStatus } from "./room/status.ts";
import { SERVICES } from "./services/registry.ts";
import type { ServiceContext, Standard } from "./services/service.ts";
import { formatAddress, isUnix } from "./socket/address.ts";
import type { Connection, Handler } from "./socket/connection.ts";
import { type DescriptorBudget, descriptorBudget } from "./socket/descriptors.ts";
import { explain } from "./socket/faults.ts";
import { Gate, type GateParts } from "./socket/gate.ts";
import { clearStale } from "./socket/listen.ts";
import { Outlet } from "./socket/outlet.ts";
import type { TlsDoor } from "./tls/door.ts";

/** An outlet's service, opened. */
interface Opening {
  /** What was asked for. */
  readonly config: OutletConfig;
  /** What serves its clients. */
  readonly handler: Handler;
  /** What shakes hands with them, where it speaks TLS. */
  readonly tls: TlsDoor | undefined;
  /** Aborted when the service is opened anew, under other options. */
  readonly superseded: AbortController;
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
export interface Common {
  /** The counters of an outlet's door, by the address that it was asked to listen on; of the server's own, without one. */
  countersOf(address?: string): GateParts;
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
  readonly journal?: Journal;
  /** The standard streams, for services that join clients to them. */
  readonly standard?: Standard | undefined;
  /** What it has in common with others; without it, it is alone. */
  readonly common?: Common;
}

/** A room full of sockets. Disposing it stops it without grace. */
export class Server implements Host {
  /** The chat rooms that its outlets share. */
  readonly rooms: Rooms = new Rooms();

  readonly #journal: Journal;
  readonly #standard: Standard;
  readonly #common: Common | undefined;
  readonly #descriptors: DescriptorBudget | undefined;
  readonly #gate: Gate;
  #bus: BusConfig = {};
  readonly #openings = new Map<Outlet, Opening>();
  readonly #closing = new Map<Outlet, Promise<number>>();

  private constructor(config: ServerConfig, { journal, standard, common }: ServerParts) {
    this.#journal = journal ?? new Journal();
    this.#standard = standard ?? SILENCE;
    this.#common = common;
    this.#descriptors = common ? common.descriptors : descriptorBudget();
    this.#gate = new Gate(limitsOf(config, this.#descriptors), common?.countersOf());
  }

  /**
   * Opens every outlet, or none: nobody is welcomed before all of them listen.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  static async open(config: ServerConfig, parts: ServerParts = {}): Promise<Server> {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(new Server(config, parts));
    await server.#reachOthers(config.options);
    await server.#openAll(config.outlets);
    undo.move();
    server.#journal.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: server.#gate.options.maxConnections ?? Infinity,
      descriptors: server.#descriptors?.limit,
    });
    return server;
  }

  /** The open outlets. */
  get outlets(): Iterable<Outlet> {
    return this.#openings.keys();
  }

  /** The outlets that have begun to close, and still have connections. */
  get draining(): Iterable<Outlet> {
    return this.#closing.keys();
  }

  /** Every connection that is open now, also those of outlets that drain. */
  *connections(): Generator<{ outlet: Outlet; connection: Connection }> {
    for (const outlet of [...this.#openings.keys(), ...this.#closing.keys()]) {
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
    this.#openings.delete(outlet);
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
    const there = new Map([...this.#openings].map(([outlet, { config }]) => [outlet, config]));
    const { kept, removed, fresh, moved } = planChange(there, config.outlets);
    const changed = kept.filter(({ outlet, config }) => !isEqual(there.get(outlet), config));
    using undo = new DisposableStack();
    const renewed = await Promise.all(changed.map(async ({ outlet, config }) => {
      const opening = await this.#prepare(outlet, config);
      const isNew = opening.handler !== this.#openings.get(outlet)?.handler;
      if (isNew) undo.defer(() => opening.superseded.abort());
      return { outlet, opening };
    }));
    await this.#openAll(fresh);
    undo.move();
    this.#gate.change(limitsOf(config, this.#descriptors));
    for (const { outlet, opening } of renewed) this.#serve(outlet, opening);
    for (const outlet of removed) this.close(outlet, { grace: config.options["drain-timeout"] });
    await Promise.all(removed.map((outlet) => outlet.unbound()));
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
    for (const outlet of [...this.#closing.keys(), ...this.#openings.keys()]) {
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
  async #reachOthers(options: ServerOptions): Promise<void> {
    this.#bus = busOf(options);
    if (this.#common) await this.rooms.extend(this.#common.bus);
    await joinBus(this.rooms, { options, journal: this.#journal });
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
  #bind({ service, listen, outletOptions, gateOptions }: OutletConfig): Outlet {
    return new Outlet({
      name: service,
      listen,
      backlog: outletOptions.backlog,
      mode: outletOptions.mode,
      gate: new Gate(gateOf(gateOptions), {
        behind: this.#gate,
        ...this.#common?.countersOf(formatAddress(listen)),
      }),
      journal: this.#journal,
      ...this.#common ? { shared: true, number: this.#common.number } : {},
    });
  }

  /** Opens the outlet's service, unless it is open just like that. */
  async #prepare(outlet: Outlet, config: OutletConfig): Promise<Opening> {
    const before = this.#openings.get(outlet);
    const tls = await tlsOf(config.outletOptions, (reason) => this.#tellFault(outlet, reason));
    if (before && isEqual(before.config.serviceOptions, config.serviceOptions)) {
      return { ...before, config, tls };
    }
    const superseded = new AbortController();
    const context = contextOf(outlet, {
      rooms: this.rooms,
      journal: this.#journal,
      standard: this.#standard,
      signal: AbortSignal.any([outlet.stopping, superseded.signal]),
    });
    const handler = SERVICES.get(config.service)!.open(config.serviceOptions, context);
    return { config, handler, tls, superseded };
  }

  #serve(outlet: Outlet, opening: Opening): void {
    const before = this.#openings.get(outlet);
    this.#openings.set(outlet, opening);
    outlet.gate.change(gateOf(opening.config.gateOptions));
    const failed = (reason: string) => this.#tellFault(outlet, reason);
    outlet.serve(termsOf(opening.config, { ...opening, failed }));
    if (before && before.handler !== opening.handler) before.superseded.abort();
  }

  #tellFault({ name, address }: Outlet, reason: string): void {
    this.#journal.publish({ event: "failed", outlet: name, address, reason });
  }
}

/** What a service may know and tell: one way, towards the journal. */
function contextOf(
  { name, address }: Outlet,
  { rooms, journal, standard, signal }: {
    rooms: Rooms;
    journal: Journal;
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
    failed: (reason) => journal.publish({ event: "failed", ...about, reason }),
    recovered: (text) => journal.publish({ event: "recovered", ...about, text }),
    said: ({ id, peer }, text) =>
      journal.publish({ event: "said", ...about, connection: id, peer, text }),
  };
}
