/**
 * The server: opens every outlet that its config asks for, changes them, and stops them again.
 *
 * @module
 */
import { type DescriptorBudget, descriptorBudget } from "./admission/descriptors.ts";
import { Rooms } from "./chat/rooms.ts";
import type { ServerConfig } from "./config/server_config.ts";
import { EventBus } from "./events/event_bus.ts";
import type { Connection } from "./connection/connection.ts";
import type { Outlet } from "./outlet/outlet.ts";
import { joinBus } from "./server/join_bus.ts";
import { OutletSet } from "./server/outlet_set.ts";
import { ServerControl, type ServerControlOptions } from "./server/server_control.ts";
import type { StandardStreams } from "./services/service.ts";
import type { listen } from "./transport/listen.ts";

/** What a server is opened with. */
export interface ServerParts {
  /** Told of everything that happens. */
  readonly eventBus?: EventBus;
  /** The standard streams, for services that join clients to them. */
  readonly standard?: StandardStreams | undefined;
  /** Looks whether what is asked for can be had; at this machine, unless it is said. */
  readonly inspect?: ServerControlOptions["inspect"];
  /** Listens; in the system's way, unless it is said. */
  readonly listen?: typeof listen;
}

/** A room full of sockets. Disposing it stops it without grace. */
export class Server extends ServerControl<Connection, Outlet> {
  /** The chat rooms that its outlets share. */
  readonly rooms: Rooms = new Rooms();
  /** Its outlets. */
  protected readonly host: OutletSet;
  readonly #descriptors: DescriptorBudget | undefined = descriptorBudget();

  private constructor(
    config: ServerConfig,
    { eventBus = new EventBus(), standard, inspect, listen }: ServerParts,
  ) {
    super(config, { eventBus, inspect });
    this.host = new OutletSet({
      eventBus,
      rooms: this.rooms,
      standard,
      listen,
      descriptors: this.#descriptors,
    });
  }

  /**
   * Opens every outlet, or none: nobody is welcomed before all of them listen.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  static async open(config: ServerConfig, parts: ServerParts = {}): Promise<Server> {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(new Server(config, parts));
    await joinBus(server.rooms, { options: config.options, eventBus: server.eventBus });
    await server.start(config);
    undo.move();
    server.eventBus.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: server.host.maxConnections,
      descriptors: server.#descriptors?.limit,
    });
    return server;
  }
}
