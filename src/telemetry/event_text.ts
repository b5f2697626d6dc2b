/**
 * Describes events for people.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Notes, OutletEvent } from "../events/events.ts";
import type { Draining, Ready, ServerEvent } from "../events/server_events.ts";
import { formatCount, formatDuration, formatSize } from "../options/quantity.ts";

/** What a log line says after the event's name and outlet. It may contain text from peers, unescaped. */
export function eventText(event: OutletEvent): string {
  return "outlet" in event ? outletText(event) : serverText(event);
}

function outletText(event: Exclude<OutletEvent, ServerEvent>): string {
  switch (event.event) {
    case "listening":
      return `on ${formatAddress(event.address)}` +
        (event.certificate ? `, TLS with certificate SHA-256 ${event.certificate}` : "");
    case "opened":
      return `#${event.connection} from ${formatAddress(event.peer)}` + withNotes(event.notes);
    case "refused":
      return `${formatAddress(event.peer)}: ${event.reason}`;
    case "service-output":
      return `#${event.connection}: ${event.text}`;
    case "closed":
      return `#${event.connection} from ${formatAddress(event.peer)}: ${event.reason}, ` +
        `${formatSize(event.bytesIn)} in, ${formatSize(event.bytesOut)} out, ` +
        formatDuration(event.duration) + withNotes(event.notes);
    case "failed":
      return `on ${formatAddress(event.address)}: ${event.reason}`;
    case "recovered":
      return `on ${formatAddress(event.address)}: ${event.text}`;
    case "stopped":
      return `on ${formatAddress(event.address)}` +
        (event.aborted > 0 ? `, ${formatCount(event.aborted, "connection")} aborted` : "");
  }
}

function serverText(event: ServerEvent): string {
  switch (event.event) {
    case "metrics-listening":
      return `on ${formatAddress(event.address)}`;
    case "ready":
      return readyText(event);
    case "reloading":
      return "the config";
    case "reloaded":
      return `the config: ${event.opened} opened, ${event.closed} closed, ${event.changed} changed`;
    case "rejected":
      return `the config: ${event.reason}`;
    case "tracing":
      return `the handshakes of ${formatCount(event.ports, "port")}`;
    case "trace-unavailable":
      return `handshakes are inferred: ${event.reason}`;
    case "bus-connected":
      return `${event.bus} via ${event.server}`;
    case "bus-disconnected":
      return `${event.bus}: ${event.reason}; rooms are local to this server until it is back`;
    case "bus-permission-denied":
      return `${event.bus}: ${event.reason}; rooms need to publish and subscribe on outlet.>`;
    case "worker-restarted":
      return `${event.worker}: ${event.reason}`;
    case "draining":
      return drainingText(event);
    case "task-failed":
      return `${event.task}: ${event.reason}; ${event.consequence}`;
    case "unexpected-error":
      return `please report it: ${event.stack.join(" ")}`;
    case "library-output":
      return event.text + (event.suppressed > 0 ? ` (${event.suppressed} more suppressed)` : "");
  }
}

function readyText({ outlets, maxConnections, descriptors, metrics, console }: Ready): string {
  return `${formatCount(outlets, "outlet")} for up to ${
    formatCount(maxConnections, "connection")
  }` +
    (descriptors === undefined ? "" : ` (descriptor limit ${descriptors})`) +
    (metrics === undefined ? "" : `, metrics on ${formatAddress(metrics)}`) +
    (console === undefined ? "" : `, console on ${formatAddress(console)}`);
}

function drainingText({ connections, timeout }: Draining): string {
  if (connections === 0) return "no open connections";
  return `${formatCount(connections, "connection")} ${connections === 1 ? "has" : "have"} ${
    formatDuration(timeout)
  } to end; a second signal stops at once`;
}

function withNotes(notes: Notes | undefined): string {
  if (!notes) return "";
  return Object.entries(notes).map(([name, value]) => `, ${name} ${value}`).join("");
}
