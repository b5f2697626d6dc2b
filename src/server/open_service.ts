/**
 * Opens the service of an outlet.
 *
 * @module
 */
import { formatAddress, isUdp } from "../endpoint/address.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { OutletConfig } from "../config/server_config.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { AboutOutlet, Failed, Recovered } from "../events/events.ts";
import type { AnyHandler, AnyOutlet } from "./serve_outlet.ts";
import { SERVICES } from "../services/registry.ts";
import type { ServiceContext, StandardStreams } from "../services/service.ts";
import type { HealthFinding, SharedHealth } from "../services/shared_health.ts";

/** The same service in the other threads of the server. */
export interface ServiceThreads {
  /** The health of what an outlet depends on, by the outlet's id. */
  healthOf(outlet: number): SharedHealth;
  /** Runs work in one of the threads, until the signal is aborted. */
  oncePerServer(signal: AbortSignal, run: (signal: AbortSignal) => void): void;
}

/** What services are opened with. */
export interface ServiceParts {
  /** Receives the events of services. */
  readonly eventBus: EventBus;
  /** The chat rooms of the server. */
  readonly rooms: Rooms;
  /** The standard streams. If absent, input is at its end and output is discarded. */
  readonly standard?: StandardStreams | undefined;
  /** The other threads of the server; absent without workers. */
  readonly threads?: ServiceThreads | undefined;
}

/** StandardStreams streams of a server that has none: no input, output discarded. */
const SILENCE: StandardStreams = {
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
  { service: name, serviceOptions, listen }: OutletConfig,
  { outlet, signal, parts }: { outlet: AnyOutlet; signal: AbortSignal; parts: ServiceParts },
): AnyHandler {
  const service = SERVICES.get(name)!;
  const context = contextOf(outlet, { signal, parts });
  try {
    if (!isUdp(listen)) return service.open(serviceOptions, context);
    if ("refused" in service.datagram) {
      throw new Error(`${name} over UDP: ${service.datagram.refused}`);
    }
    return service.datagram.open(serviceOptions, context);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** The event that publishes a finding. */
export function healthEvent(
  { id, outlet, address }: AboutOutlet,
  { failures, text }: HealthFinding,
): Failed | Recovered {
  const about = { id, outlet, address };
  return failures > 0
    ? { event: "failed", ...about, reason: text }
    : { event: "recovered", ...about, text };
}

/** What a service gets to know of its outlet, and how it publishes events. */
function contextOf(
  { id, name, address }: Pick<AnyOutlet, "id" | "name" | "address">,
  { signal, parts: { eventBus, rooms, threads, standard = SILENCE } }: {
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
    health: threads?.healthOf(id) ?? {
      report: (finding) => eventBus.publish(healthEvent(about, finding)),
      follow: () => {},
    },
    oncePerServer: (run) => threads ? threads.oncePerServer(signal, run) : run(signal),
    output: ({ id: connection, peer }, text) =>
      eventBus.publish({ event: "service-output", ...about, connection, peer, text }),
  };
}
