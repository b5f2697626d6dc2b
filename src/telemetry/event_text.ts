/**
 * Describes events for people.
 *
 * @module
 */
import { formatAddress, isUdp } from "../endpoint/address.ts";
import type { AboutConnection, Closed, Notes, OutletEvent } from "../events/events.ts";
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
      return conversationText(event) + withNotes(event.notes);
    case "refused":
      return `${formatAddress(event.peer)}: ${event.reason}` + withCount(event.datagrams);
    case "dropped":
      return `${formatCount(event.datagrams, "datagram")}: ${event.reason}` +
        (event.peer ? `, the last from ${formatAddress(event.peer)}` : "");
    case "service-output":
      return `#${event.connection}: ${event.text}`;
    case "closed":
      return `${conversationText(event)}: ${event.reason}, ${amount(event, "In")} in, ` +
        `${amount(event, "Out")} out, ${formatDuration(event.duration)}` + withNotes(event.notes);
    case "failed":
      return `on ${formatAddress(event.address)}: ${event.reason}`;
    case "recovered":
      return `on ${formatAddress(event.address)}: ${event.text}`;
    case "stopped":
      return `on ${formatAddress(event.address)}` +
        (event.aborted > 0 ? `, ${formatCount(event.aborted, "connection")} aborted` : "");
  }
}

/** `#1 from 127.0.0.1:53422`, or over UDP `session #1 from 127.0.0.1:53422`. */
function conversationText({ connection, peer, address }: AboutConnection): string {
  return `${isUdp(address) ? "session " : ""}#${connection} from ${formatAddress(peer)}`;
}

/** `12 B`, or over UDP `3 datagrams (12 B)`. */
function amount(event: Closed, direction: "In" | "Out"): string {
  const size = formatSize(event[`bytes${direction}`]);
  const datagrams = event[`datagrams${direction}`];
  return datagrams === undefined ? size : `${formatCount(datagrams, "datagram")} (${size})`;
}

/** The number of refused datagrams, if there was more than one. */
function withCount(datagrams = 1): string {
  return datagrams === 1 ? "" : `, the last of ${datagrams} datagrams`;
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
