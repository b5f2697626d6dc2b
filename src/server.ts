/**
 * A server: opens the outlets of a config, changes them, and stops them.
 *
 * To follow it: `open` below; then `server/server_control.ts`, which applies one change at a time;
 * `server/outlet_set.ts`, which binds the listening sockets; `outlet/accept_loop.ts`, which accepts
 * connections; and `outlet/outlet.ts`, which serves each of them with a service. With workers,
 * `workers/supervisor.ts` takes the place of this file.
 *
 * @module
 */
import { type DescriptorBudget, descriptorBudget } from "./admission/descriptors.ts";
import { Rooms } from "./chat/rooms.ts";
import type { ServerConfig } from "./config/server_config.ts";
import { EventBus } from "./events/event_bus.ts";
import type { HttpAddresses } from "./events/server_events.ts";
import type { LiveConnection } from "./server/handle.ts";
import { joinBus } from "./server/join_bus.ts";
import { OutletSet } from "./server/outlet_set.ts";
import type { AnyOutlet } from "./server/serve_outlet.ts";
import { ServerControl, type ServerControlOptions } from "./server/server_control.ts";
import type { StandardStreams } from "./services/service.ts";
import type { listen } from "./transport/listen.ts";

/** Options of {@linkcode Server.open}. */
export interface ServerParts {
  /** Where its events are published. */
  readonly eventBus?: EventBus;
  /** stdin and stdout, for the `stdio` service. */
  readonly standard?: StandardStreams | undefined;
  /** Checks a config before a change; the preflight by default. */
  readonly inspect?: ServerControlOptions["inspect"];
  /** The addresses of metrics and console, for its `ready` event. */
  readonly http?: HttpAddresses | undefined;
  /** Opens a listening socket; `listen` by default. */
  readonly listen?: typeof listen;
}

/** A server in one thread. Disposing it stops it at once. */
export class Server extends ServerControl<LiveConnection, AnyOutlet> {
  /** The chat rooms of its outlets. */
  readonly rooms: Rooms = new Rooms();
  /** Its outlets. */
  protected readonly outletManager: OutletSet;
  readonly #descriptors: DescriptorBudget | undefined = descriptorBudget();

  private constructor(
    config: ServerConfig,
    { eventBus = new EventBus(), standard, inspect, listen }: ServerParts,
  ) {
    super(config, { eventBus, inspect });
    this.outletManager = new OutletSet({
      eventBus,
      rooms: this.rooms,
      standard,
      listen,
      descriptors: this.#descriptors,
    });
  }

  /**
   * Opens all outlets, or none. Connections are accepted once all of them listen.
   *
   * @throws {Error} which address cannot be listened on, and why
   */
  static async open(config: ServerConfig, parts: ServerParts = {}): Promise<Server> {
    await using onError = new AsyncDisposableStack();
    const server = onError.use(new Server(config, parts));
    await joinBus(server.rooms, { options: config.options, eventBus: server.eventBus });
    await server.start(config);
    onError.move();
    server.eventBus.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: server.outletManager.maxConnections,
      descriptors: server.#descriptors?.limit,
      ...parts.http,
    });
    return server;
  }
}
