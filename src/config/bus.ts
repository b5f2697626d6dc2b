/**
 * The bus that a config asks for, over which rooms reach their namesakes on other servers.
 *
 * @module
 */
import type { Journal } from "../observe/journal.ts";
import type { BusAddress } from "../room/bus_address.ts";
import type { Rooms } from "../room/rooms.ts";
import type { ServerOptions } from "./server_config.ts";

/** What was asked for about the bus. */
export interface BusConfig {
  /** Where it is; without it there is none. */
  readonly address?: BusAddress | undefined;
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

/** Joins rooms to those of other servers on the bus that was asked for, if one was. */
export async function joinBus(
  rooms: Rooms,
  { options, journal }: { options: ServerOptions; journal: Journal },
): Promise<void> {
  const { address, ...paths } = busOf(options);
  if (!address) return;
  const { openNatsBus } = await import("../room/nats_bus.ts");
  const bus = await openNatsBus(address, paths);
  await rooms.extend(bus, {
    changed: (state) =>
      journal.publish(
        state.state === "up"
          ? { event: "reached", bus: bus.name, server: state.at }
          : { event: "lost", bus: bus.name, reason: state.reason },
      ),
    denied: (reason) => journal.publish({ event: "denied", bus: bus.name, reason }),
  });
}
