/**
 * The bus that a config asks for, over which rooms reach their namesakes on other servers.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { NatsUrl } from "../endpoint/nats_url.ts";
import type { Bus } from "../chat/bus/bus.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { ServerOptions } from "../config/server_config.ts";

/** What was asked for about the bus. */
export interface BusConfig {
  /** Where it is; without it there is none. */
  readonly address?: NatsUrl | undefined;
  /** The file of credentials. */
  readonly credentials?: string | undefined;
  /** The file of the CAs that vouch for it. */
  readonly ca?: string | undefined;
}

/** What the options of a server ask for about the bus. */
export function busOf(options: ServerOptions): BusConfig {
  return {
    address: options.bus,
    credentials: options["bus-credentials"],
    ca: options["bus-ca"],
  };
}

/** Joins rooms to those of other servers on the bus that was asked for, if one was: that bus. */
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
