/**
 * One event as one line of text. What peers send can neither break a line nor steer a terminal.
 *
 * @module
 */
import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import { formatDuration, formatSize } from "../options/quantity.ts";
import { formatAddress } from "../endpoint/address.ts";
import type { Notes, OutletEvent, ServerEvent } from "../events/events.ts";
import { printable } from "../terminal/printable.ts";

const GONE = new Set(["ENOTCONN", "ECONNRESET", "ECONNABORTED"]);

/** How serious an event is. */
export function levelOf(event: OutletEvent): "debug" | "info" | "warning" {
  switch (event.event) {
    case "failed":
      // A client that was gone before it was accepted is the network's everyday noise.
      return GONE.has(event.code ?? "") ? "debug" : "warning";
    case "refused":
    case "rejected":
    case "worker-restarted":
    case "trace-unavailable":
    case "bus-disconnected":
    case "bus-permission-denied":
      return "warning";
    case "reloading":
      return "debug";
    case "closed":
      return event.reason.startsWith("error") ? "warning" : "info";
    case "stopped":
      return event.cut > 0 ? "warning" : "info";
    default:
      return "info";
  }
}

/** One JSON object: `time` is RFC 3339, names are snake_case, addresses are `host:port`. */
export function jsonLine(event: OutletEvent, at: Date): string {
  return JSON.stringify({
    time: at.toISOString(),
    level: levelOf(event),
    event: event.event,
    ..."outlet" in event
      ? { outlet: event.outlet, address: formatAddress(event.address) }
      : jsonFacts(event),
    ..."connection" in event ? { connection: event.connection } : {},
    ..."peer" in event ? { peer: formatAddress(event.peer) } : {},
    ...event.event === "closed"
      ? {
        bytes_in: event.bytesIn,
        bytes_out: event.bytesOut,
        duration_ms: Math.round(event.duration * 1000) / 1000,
      }
      : {},
    ..."notes" in event ? jsonNotes(event.notes) : {},
    ..."certificate" in event ? { certificate: event.certificate } : {},
    ...event.event === "stopped" ? { cut: event.cut } : {},
    ..."text" in event ? { text: printable(event.text) } : {},
    ..."code" in event ? { code: event.code } : {},
    ..."reason" in event ? { reason: printable(event.reason) } : {},
  });
}

/** What a fact about the server as a whole says, but for its reason. */
function jsonFacts(event: ServerEvent): Record<string, string | number | undefined> {
  switch (event.event) {
    case "ready":
      return {
        outlets: event.outlets,
        max_connections: event.maxConnections,
        descriptors: event.descriptors,
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
      return { live: event.live, grace_ms: event.grace };
    default:
      return {};
  }
}

function jsonNotes(notes: Notes = {}): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(notes).map(([name, value]) => [
      name.replaceAll("-", "_"),
      typeof value === "string" ? printable(value) : value,
    ]),
  );
}

/** A line for people: `20:15:03 opened    echo #1 from 127.0.0.1:53422`. */
export function textLine(
  event: OutletEvent,
  { at, colour }: { at: Date; colour: boolean },
): string {
  const time = timeOf(at);
  const word = event.event.padEnd(9);
  const text = printable(tell(event));
  const where = "outlet" in event ? `${event.outlet} ` : "";
  if (!colour) return `${time} ${word} ${where}${text}`;
  return `${dim(time)} ${COLOURS[event.event](word)} ${bold(where)}${text}`;
}

let second = { at: NaN, time: "" };

/** The time of day; it is the same for all lines of a second, and takes as long as the rest of a line. */
function timeOf(at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000);
  if (second.at !== seconds) second = { at: seconds, time: at.toTimeString().slice(0, 8) };
  return second.time;
}

const COLOURS: Readonly<Record<OutletEvent["event"], (text: string) => string>> = {
  listening: cyan,
  opened: green,
  refused: yellow,
  "service-output": cyan,
  closed: dim,
  failed: red,
  recovered: green,
  stopped: cyan,
  ready: cyan,
  reloading: cyan,
  reloaded: cyan,
  rejected: red,
  tracing: cyan,
  "trace-unavailable": yellow,
  "bus-connected": green,
  "bus-disconnected": red,
  "bus-permission-denied": red,
  draining: cyan,
  "worker-restarted": red,
};

function withNotes(notes: Notes | undefined): string {
  if (!notes) return "";
  return Object.entries(notes).map(([name, value]) => `, ${name} ${value}`).join("");
}

function tell(event: OutletEvent): string {
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
        (event.cut > 0 ? `, ${event.cut} connections cut` : "");
    case "ready":
      return `${event.outlets === 1 ? "1 outlet" : `${event.outlets} outlets`} for up to ` +
        `${event.maxConnections} connections` +
        (event.descriptors === undefined ? "" : ` (descriptor limit ${event.descriptors})`);
    case "reloading":
      return "the config";
    case "reloaded":
      return `the config: ${event.opened} opened, ${event.closed} closed, ${event.changed} changed`;
    case "rejected":
      return `the config: ${event.reason}`;
    case "tracing":
      return `the handshakes of ${event.ports === 1 ? "1 port" : `${event.ports} ports`}`;
    case "trace-unavailable":
      return `handshakes are inferred: ${event.reason}`;
    case "bus-connected":
      return `the bus ${event.bus}, through ${event.server}`;
    case "bus-disconnected":
      return `the bus ${event.bus}: ${event.reason}; rooms stay on this server until it is there`;
    case "bus-permission-denied":
      return `the bus ${event.bus}: ${event.reason}; rooms need both on outlet.>`;
    case "worker-restarted":
      return `worker ${event.worker}, which died: ${event.reason}`;
    case "draining":
      return event.live === 0
        ? "nobody is connected"
        : `${event.live === 1 ? "1 connection has" : `${event.live} connections have`} ${
          formatDuration(event.grace)
        } to end; a second signal stops at once`;
  }
}
