/**
 * The server: opens every outlet that its config asks for, and stops them again.
 *
 * @module
 */
import type {
  GateOptions as GateConfig,
  OutletConfig,
  ServerConfig,
} from "./config/server_config.ts";
import { Journal } from "./observe/journal.ts";
import { Rooms } from "./room/rooms.ts";
import { SERVICES } from "./services/registry.ts";
import type { ServiceContext } from "./services/service.ts";
import { formatAddress } from "./socket/address.ts";
import type { Connection, Handler } from "./socket/connection.ts";
import { Gate, type GateOptions } from "./socket/gate.ts";
import { Outlet, type Terms } from "./socket/outlet.ts";

/** A room full of sockets. Disposing it stops it without grace. */
export class Server implements AsyncDisposable {
  /** The open outlets, in the order of the config. */
  readonly outlets: readonly Outlet[];
  /** The chat rooms that its outlets share. */
  readonly rooms: Rooms;

  private constructor(outlets: readonly Outlet[], rooms: Rooms) {
    this.outlets = outlets;
    this.rooms = rooms;
  }

  /**
   * Opens every outlet, or none: nobody is welcomed before all of them listen.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  static async open(config: ServerConfig, journal: Journal = new Journal()): Promise<Server> {
    await using opened = new AsyncDisposableStack();
    const rooms = new Rooms();
    const gate = new Gate(gateOf(config.gateOptions));
    const doors = config.outlets.map((outletConfig) => ({
      outlet: opened.use(bind(outletConfig, { journal, gate })),
      outletConfig,
    }));
    for (const { outlet, outletConfig } of doors) {
      const service = SERVICES.get(outletConfig.service)!;
      const context = contextOf(outlet, { rooms, journal });
      const handler = service.open(outletConfig.serviceOptions, context);
      outlet.serve(termsOf(handler, outletConfig));
    }
    opened.move();
    return new Server(doors.map(({ outlet }) => outlet), rooms);
  }

  /** Every connection that is open now. */
  *connections(): Generator<{ outlet: Outlet; connection: Connection }> {
    for (const outlet of this.outlets) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /**
   * Stops: no new clients, and `grace` milliseconds for those who are there.
   *
   * @returns how many connections had to be cut
   */
  async stop({ grace }: { grace: number }): Promise<number> {
    const cuts = await Promise.all(this.outlets.map((outlet) => outlet.stop({ grace })));
    return cuts.reduce((sum, cut) => sum + cut, 0);
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }
}

/**
 * Serves until the signal is aborted, then drains.
 *
 * @returns how many connections had to be cut
 */
export async function serve(
  config: ServerConfig,
  { signal, journal, onOpen }: {
    signal: AbortSignal;
    journal?: Journal;
    onOpen?: (server: Server) => void;
  },
): Promise<number> {
  const server = await Server.open(config, journal);
  onOpen?.(server);
  await aborted(signal);
  return await server.stop({ grace: config.options["drain-timeout"] });
}

/** What a service may know and tell: one way, towards the journal. */
function contextOf(
  { name, address, stopping }: Outlet,
  { rooms, journal }: { rooms: Rooms; journal: Journal },
): ServiceContext {
  const about = { outlet: name, address };
  return {
    address: formatAddress(address),
    rooms,
    signal: stopping,
    failed: (reason) => journal.publish({ event: "failed", ...about, reason }),
    said: ({ id, peer }, text) =>
      journal.publish({ event: "said", ...about, connection: id, peer, text }),
  };
}

/** Binds an outlet; who passes its door comes to that of the server. */
function bind(
  { service, listen, outletOptions, gateOptions }: OutletConfig,
  { journal, gate }: { journal: Journal; gate: Gate },
): Outlet {
  return new Outlet({
    name: service,
    listen,
    backlog: outletOptions.backlog,
    gate: new Gate(gateOf(gateOptions), { behind: gate }),
    journal,
  });
}

function termsOf(handler: Handler, { outletOptions }: OutletConfig): Terms {
  return {
    handler,
    keepAlive: outletOptions["keep-alive"],
    whenFull: outletOptions["when-full"],
    deadlines: {
      idle: outletOptions["idle-timeout"],
      lifetime: outletOptions.lifetime,
      write: outletOptions["write-timeout"],
      fin: outletOptions["fin-timeout"],
    },
  };
}

function gateOf(options: GateConfig): GateOptions {
  const { allow, deny, rate, burst } = options;
  return {
    allow,
    deny,
    rate,
    burst,
    maxConnections: options["max-connections"],
    maxPerIp: options["max-per-ip"],
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
