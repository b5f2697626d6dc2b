/**
 * The log as JSON: one object per line.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Notes, OutletEvent } from "../events/events.ts";
import type { ServerEvent } from "../events/server_events.ts";
import { roundMilliseconds } from "../options/quantity.ts";
import { printable } from "../terminal/printable.ts";
import { levelOf } from "./log_level.ts";

/** Formats an event as a JSON object: `time` as in RFC 3339, names in snake_case, addresses as `host:port`. */
export function jsonLine(event: OutletEvent, at: Date): string {
  return JSON.stringify({
    time: at.toISOString(),
    level: levelOf(event),
    event: event.event,
    ..."outlet" in event
      ? {
        outlet: event.outlet,
        outlet_id: event.id,
        address: formatAddress(event.address),
      }
      : serverFields(event),
    ..."connection" in event ? { connection: event.connection } : {},
    ..."peer" in event && event.peer ? { peer: formatAddress(event.peer) } : {},
    ...event.event === "closed"
      ? {
        bytes_in: event.bytesIn,
        bytes_out: event.bytesOut,
        datagrams_in: event.datagramsIn,
        datagrams_out: event.datagramsOut,
        duration_ms: roundMilliseconds(event.duration),
      }
      : {},
    ..."notes" in event ? noteFields(event.notes) : {},
    ..."datagrams" in event ? { datagrams: event.datagrams } : {},
    ..."certificate" in event ? { certificate: event.certificate } : {},
    ...event.event === "stopped" ? { aborted: event.aborted } : {},
    ..."text" in event ? { text: printable(event.text) } : {},
    ..."code" in event ? { code: event.code } : {},
    ..."reason" in event ? { reason: printable(event.reason) } : {},
  });
}

/** The fields of a server event, without `reason`. */
function serverFields(
  event: ServerEvent,
): Record<string, string | number | readonly string[] | undefined> {
  switch (event.event) {
    case "metrics-listening":
      return { address: formatAddress(event.address) };
    case "ready":
      return {
        outlets: event.outlets,
        max_connections: event.maxConnections,
        descriptors: event.descriptors,
        metrics: event.metrics && formatAddress(event.metrics),
        console: event.console && formatAddress(event.console),
      };
    case "reloaded":
      return { opened: event.opened, closed: event.closed, changed: event.changed };
    case "tracing":
      return { ports: event.ports };
    case "bus-connected":
      return { bus: event.bus, server: event.server };
    case "bus-disconnected":
    case "bus-permission-denied":
      return { bus: event.bus };
    case "worker-restarted":
      return { worker: event.worker };
    case "draining":
      return { connections: event.connections, timeout_ms: event.timeout };
    case "task-failed":
      return { task: event.task, consequence: event.consequence };
    case "unexpected-error":
      return { stack: event.stack.map(printable) };
    case "library-output":
      return { suppressed: event.suppressed };
    default:
      return {};
  }
}

function noteFields(notes: Notes = {}): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(notes).map(([name, value]) => [
      name.replaceAll("-", "_"),
      typeof value === "string" ? printable(value) : value,
    ]),
  );
}
