/**
 * Opening the service behind an outlet.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { OutletConfig } from "../config/server_config.ts";
import type { Handler } from "../connection/connection.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { Outlet } from "../outlet/outlet.ts";
import { SERVICES } from "../services/registry.ts";
import type { ServiceContext, Standard } from "../services/service.ts";

/** What a service is opened with. */
export interface ServiceParts {
  /** Told of what services tell. */
  readonly eventBus: EventBus;
  /** The chat rooms of the server. */
  readonly rooms: Rooms;
  /** The standard streams; without them, nothing comes and nothing is kept. */
  readonly standard?: Standard | undefined;
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

/** The same for an outlet that is opened while the server runs: the end of its clients is not the server's. */
export function atRunTime(parts: ServiceParts): ServiceParts {
  const { standard = SILENCE } = parts;
  return { ...parts, standard: { ...standard, end: () => {} } };
}

/**
 * Opens the service that a config asks for, until the signal is aborted. What can be wrong with it was looked at
 * before; should it fail all the same, each client is told so.
 */
export function openService(
  { service, serviceOptions }: OutletConfig,
  { outlet, signal, parts }: { outlet: Outlet; signal: AbortSignal; parts: ServiceParts },
): Handler {
  try {
    return SERVICES.get(service)!.open(serviceOptions, contextOf(outlet, { signal, parts }));
  } catch (error) {
    return () => Promise.reject(error);
  }
}

/** What a service may know and tell: one way, towards the event bus. */
function contextOf(
  { id, name, address }: Outlet,
  { signal, parts: { eventBus, rooms, standard = SILENCE } }: {
    signal: AbortSignal;
    parts: ServiceParts;
  },
): ServiceContext {
  const about = { id, outlet: name, address };
  return {
    address: formatAddress(address),
    rooms,
    standard,
    signal,
    failed: (reason) => eventBus.publish({ event: "failed", ...about, reason }),
    recovered: (text) => eventBus.publish({ event: "recovered", ...about, text }),
    said: ({ id: connection, peer }, text) =>
      eventBus.publish({ event: "service-output", ...about, connection, peer, text }),
  };
}
