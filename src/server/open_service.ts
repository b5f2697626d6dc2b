/**
 * Opens the service of an outlet.
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

/** What services are opened with. */
export interface ServiceParts {
  /** Receives the events of services. */
  readonly eventBus: EventBus;
  /** The chat rooms of the server. */
  readonly rooms: Rooms;
  /** The standard streams. If absent, input is at its end and output is discarded. */
  readonly standard?: Standard | undefined;
}

/** Standard streams of a server that has none: no input, output discarded. */
const SILENCE: Standard = {
  input: {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
    }),
  },
  write: () => Promise.resolve(),
  end: () => {},
};

/**
 * The same for an outlet that is opened at run time: a `stdio` outlet must not end the server
 * then.
 */
export function atRunTime(parts: ServiceParts): ServiceParts {
  const { standard = SILENCE } = parts;
  return { ...parts, standard: { ...standard, end: () => {} } };
}

/**
 * Opens the configured service until the signal is aborted. Preflight has checked the options; if
 * opening fails all the same, every connection ends with that error.
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

/** What a service gets to know of its outlet, and how it publishes events. */
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
