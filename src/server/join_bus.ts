/**
 * Connects chat rooms to the configured bus, so that rooms of the same name on several servers
 * are one room.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { NatsUrl } from "../endpoint/nats_url.ts";
import type { Bus } from "../chat/bus/bus.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { ServerOptions } from "../config/server_config.ts";

/** The options of the bus. */
export interface BusConfig {
  /** Its address; `undefined` without a bus. */
  readonly address?: NatsUrl | undefined;
  /** The path of the credentials file. */
  readonly credentials?: string | undefined;
  /** The path of a file with CA certificates. */
  readonly ca?: string | undefined;
}

/** The bus options among a server's options. */
export function busOf(options: ServerOptions): BusConfig {
  return {
    address: options.bus,
    credentials: options["bus-credentials"],
    ca: options["bus-ca"],
  };
}

/** Connects rooms to the configured bus. Resolves to that bus; `undefined` without one. */
export async function joinBus(
  rooms: Rooms,
  { options, eventBus }: { options: ServerOptions; eventBus: EventBus },
): Promise<Bus | undefined> {
  const { address, ...paths } = busOf(options);
  if (!address) return undefined;
  const { openNatsBus } = await import("../chat/bus/nats_bus.ts");
  const bus = await openNatsBus(address, paths);
  await rooms.attachBus(bus, {
    changed: (state) =>
      eventBus.publish(
        state.state === "up"
          ? { event: "bus-connected", bus: bus.name, server: state.at }
          : { event: "bus-disconnected", bus: bus.name, reason: state.reason },
      ),
    denied: (reason) => eventBus.publish({ event: "bus-permission-denied", bus: bus.name, reason }),
  });
  return bus;
}
