/**
 * One event as one line of text. What peers send can neither break a line nor steer a terminal.
 *
 * @module
 */
import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import { formatCount, formatDuration, formatSize } from "../options/quantity.ts";
import { formatAddress, portOf } from "../endpoint/address.ts";
import type { AboutOutlet, Notes, OutletEvent } from "../events/events.ts";
import type { ServerEvent } from "../events/server_events.ts";
import { printable } from "../terminal/printable.ts";

const GONE = new Set(["ENOTCONN", "ECONNRESET", "ECONNABORTED"]);

/** How serious something is. */
export type Level = "debug" | "info" | "warning" | "error";

/** How serious an event is. */
export function levelOf(event: OutletEvent): Level {
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
    case "task-failed":
    case "library-output":
      return "warning";
    case "unexpected-error":
      return "error";
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
      ? {
        outlet: event.outlet,
        outlet_id: event.id,
        address: formatAddress(event.address),
      }
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
function jsonFacts(
  event: ServerEvent,
): Record<string, string | number | readonly string[] | undefined> {
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
    case "task-failed":
      return { task: event.task, consequence: event.consequence };
    case "unexpected-error":
      return { stack: event.stack.map(printable) };
    case "library-output":
      return { untold: event.untold };
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

/** How a line for people is written. */
export interface TextLineOptions {
  /** When it happened. */
  readonly at: Date;
  /** Whether it is coloured. */
  readonly colour?: boolean;
  /** Whether the date and the offset from UTC stand before it, as RFC 3339 has them; else the time of day alone. */
  readonly date?: boolean;
}

/** A line for people: `20:15:03 opened    echo:7007 #1 from 127.0.0.1:53422`. */
export function textLine(event: OutletEvent, options: TextLineOptions): string {
  const { at, colour = false, date = false } = options;
  const time = date ? dateTimeOf(at) : timeOf(at);
  const { word, rest } = wordsOf(event);
  const text = printable(tell(event));
  const where = "outlet" in event ? `${whereOf(event)} ` : "";
  if (!colour) return `${time} ${word} ${rest}${where}${text}`;
  return `${dim(time)} ${COLOURS[event.event](`${word} ${rest}`)}${bold(where)}${text}`;
}

/** The line that stands for lines that a stream did not take. */
export function droppedLine(
  count: number,
  { format, ...options }: TextLineOptions & { readonly format: "text" | "json" },
): string {
  const { at, date } = options;
  if (format === "json") {
    const time = at.toISOString();
    return JSON.stringify({ time, level: "warning", event: "lines-dropped", lines: count });
  }
  const time = date ? dateTimeOf(at) : timeOf(at);
  return `${time} ${"lines".padEnd(WIDTH)} dropped ${count}, which were not taken in time`;
}

/** How wide the column of words is. */
const WIDTH = 9;

/** An event's name as the beginning of its line: `bus-connected` is `bus       connected `, in two columns. */
function wordsOf({ event }: OutletEvent): { word: string; rest: string } {
  const hyphen = event.indexOf("-");
  if (hyphen < 0) return { word: event.padEnd(WIDTH), rest: "" };
  const rest = event.slice(hyphen + 1).replaceAll("-", " ");
  // What it is about follows, or what there is to say of it.
  const end = /^(bus|service|worker)/.test(event) ? " " : ": ";
  return { word: event.slice(0, hyphen).padEnd(WIDTH), rest: rest + end };
}

/** The outlet as its lines name it: two outlets of one service differ by where they listen. */
function whereOf({ event, outlet, address }: OutletEvent & AboutOutlet): string {
  // The address stands in these lines as a whole.
  if (event === "listening" || event === "failed" || event === "recovered" || event === "stopped") {
    return outlet;
  }
  return `${outlet}:${portOf(address)}`;
}

let second = { at: NaN, time: "", dateTime: "" };

/** The time of day; it is the same for all lines of a second, and takes as long as the rest of a line. */
function timeOf(at: Date): string {
  return secondOf(at).time;
}

/** `2026-11-22T21:15:03.123+01:00` */
function dateTimeOf(at: Date): string {
  const [head, offset] = secondOf(at).dateTime.split("|");
  return `${head}.${String(at.getMilliseconds()).padStart(3, "0")}${offset}`;
}

function secondOf(at: Date): typeof second {
  const seconds = Math.floor(at.getTime() / 1000);
  if (second.at === seconds) return second;
  const minutes = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  const offset = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
    .map((part) => String(part).padStart(2, "0")).join(":");
  const dateTime = `${local}|${minutes < 0 ? "-" : "+"}${offset}`;
  return second = { at: seconds, time: local.slice(11), dateTime };
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
  "task-failed": yellow,
  "unexpected-error": red,
  "library-output": yellow,
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
        (event.cut > 0 ? `, ${formatCount(event.cut, "connection")} cut` : "");
    case "ready":
      return `${formatCount(event.outlets, "outlet")} for up to ` +
        formatCount(event.maxConnections, "connection") +
        (event.descriptors === undefined ? "" : ` (descriptor limit ${event.descriptors})`);
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
      return `${event.bus}, through ${event.server}`;
    case "bus-disconnected":
      return `${event.bus}: ${event.reason}; rooms stay on this server until it is there`;
    case "bus-permission-denied":
      return `${event.bus}: ${event.reason}; rooms need both on outlet.>`;
    case "worker-restarted":
      return `${event.worker}: ${event.reason}`;
    case "draining":
      return event.live === 0
        ? "nobody is connected"
        : `${formatCount(event.live, "connection")} ${event.live === 1 ? "has" : "have"} ${
          formatDuration(event.grace)
        } to end; a second signal stops at once`;
    case "task-failed":
      return `${event.task}: ${event.reason}; ${event.consequence}`;
    case "unexpected-error":
      return `please report it: ${event.stack.join(" ")}`;
    case "library-output":
      return event.text + (event.untold > 0 ? ` (${event.untold} more before it)` : "");
  }
}
