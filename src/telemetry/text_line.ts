/**
 * The log as text: one line per event.
 *
 * @module
 */
import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import { portOf } from "../endpoint/address.ts";
import type { AboutOutlet, OutletEvent } from "../events/events.ts";
import { printable } from "../terminal/printable.ts";
import { eventText } from "./event_text.ts";

/** How a line is formatted. */
export interface TextLineOptions {
  /** The time of the event. */
  readonly at: Date;
  /** Whether to use colours. */
  readonly colour?: boolean;
  /** Whether to write date, time and UTC offset as in RFC 3339, instead of the time of day alone. */
  readonly date?: boolean;
}

/** Formats an event: `20:15:03 opened    echo:7007 #1 from 127.0.0.1:53422`. Text from peers is escaped. */
export function textLine(event: OutletEvent, options: TextLineOptions): string {
  const { at, colour = false, date = false } = options;
  const time = date ? dateTimeOf(at) : timeOf(at);
  const { word, rest } = columnsOf(event);
  const text = printable(eventText(event));
  const where = "outlet" in event ? `${outletLabel(event)} ` : "";
  if (!colour) return `${time} ${word} ${rest}${where}${text}`;
  return `${dim(time)} ${COLOURS[event.event](`${word} ${rest}`)}${bold(where)}${text}`;
}

/** Formats the line that reports dropped lines. */
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
  return `${time} ${"lines".padEnd(WIDTH)} dropped ${count}, which were not accepted in time`;
}

/** The width of the column of event names. */
const WIDTH = 9;

/** Splits an event's name into two columns: `bus-connected` becomes `bus       connected `. */
function columnsOf({ event }: OutletEvent): { word: string; rest: string } {
  const hyphen = event.indexOf("-");
  if (hyphen < 0) return { word: event.padEnd(WIDTH), rest: "" };
  const rest = event.slice(hyphen + 1).replaceAll("-", " ");
  // A name follows these; other events are followed by a description.
  const end = /^(bus|metrics|service|worker)/.test(event) ? " " : ": ";
  return { word: event.slice(0, hyphen).padEnd(WIDTH), rest: rest + end };
}

/** The outlet with its port, which distinguishes outlets of one service. */
function outletLabel({ event, outlet, address }: OutletEvent & AboutOutlet): string {
  // The text of these events has the whole address.
  if (event === "listening" || event === "failed" || event === "recovered" || event === "stopped") {
    return outlet;
  }
  return `${outlet}:${portOf(address)}`;
}

let second = { at: NaN, dateTime: "", offset: "" };

/** The time of day, cached for a second because formatting it takes as long as the rest of a line. */
function timeOf(at: Date): string {
  return secondOf(at).dateTime.slice(11);
}

/** `2026-11-22T21:15:03.123+01:00` */
function dateTimeOf(at: Date): string {
  const { dateTime, offset } = secondOf(at);
  return `${dateTime}.${String(at.getMilliseconds()).padStart(3, "0")}${offset}`;
}

function secondOf(at: Date): typeof second {
  const seconds = Math.floor(at.getTime() / 1000);
  if (second.at === seconds) return second;
  const minutes = -at.getTimezoneOffset();
  const dateTime = new Date(at.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  const offset = (minutes < 0 ? "-" : "+") +
    [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
      .map((part) => String(part).padStart(2, "0")).join(":");
  return second = { at: seconds, dateTime, offset };
}

const COLOURS: Readonly<Record<OutletEvent["event"], (text: string) => string>> = {
  listening: cyan,
  opened: green,
  refused: yellow,
  dropped: yellow,
  "service-output": cyan,
  closed: dim,
  failed: red,
  recovered: green,
  stopped: cyan,
  "metrics-listening": cyan,
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
