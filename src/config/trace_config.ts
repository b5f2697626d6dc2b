/**
 * The options and the config of a trace.
 *
 * @module
 */
import { file, integer, PORT, TEXT } from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";

/** The values of a trace's options. */
export interface TraceOptions {
  /** The interface to capture on. */
  readonly interface: string;
  /** Show only connections of these hosts. */
  readonly host: readonly string[];
  /** Show only connections of these ports. */
  readonly port: readonly number[];
  /** A capture to read instead: a file, or `-` for stdin. */
  readonly read: string | undefined;
  /** Whether to print handshakes as JSON objects, one per line. */
  readonly json: boolean;
  /** Whether to print only a summary at the end. */
  readonly summary: boolean;
  /** Stop after this many connections. */
  readonly count: number | undefined;
  /** The file for an SVG image of the ladders. */
  readonly svg: string | undefined;
  /** Whether sequence numbers are relative to the initial ones. */
  readonly relative: boolean;
  /** How many connections are tracked at a time. */
  readonly flows: number;
  /** Whether to show the kernel's sockets instead. */
  readonly sockets: boolean;
}

const COUNT = integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The options of {@linkcode TraceOptions}. */
export const TRACE_OPTIONS: TableOf<TraceOptions> = {
  interface: option(TEXT, "capture on this interface", {
    short: "i",
    placeholder: "NAME",
    default: "any",
  }),
  host: list(TEXT, "show only connections of this host", { placeholder: "HOST" }),
  port: list(PORT, "show only connections of this port", { short: "p", placeholder: "PORT" }),
  read: option(file("read"), "read a capture file (pcap or pcapng) instead; - is stdin", {
    short: "r",
    excludes: ["interface"],
  }),
  json: flag("print one JSON object per connection"),
  summary: flag("print only a summary, at the end", { excludes: ["json"] }),
  count: option(COUNT, "exit after this many connections", { short: "c" }),
  svg: option(file("append"), "also draw the ladders into this SVG file"),
  relative: flag("print sequence numbers relative to the initial ones"),
  flows: option(integer({ min: 1, max: 1_000_000 }), "number of connections to keep in memory", {
    default: 16_384,
  }),
  sockets: flag("show the kernel's TCP sockets instead; of one port, if given", {
    excludes: [
      ...["read", "interface", "host", "json", "summary", "count", "svg", "relative", "flows"],
    ],
  }),
};

/** The config of a trace. */
export interface TraceConfig {
  /** The values of the options. */
  readonly options: TraceOptions;
}
