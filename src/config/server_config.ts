/**
 * The options and the config of a server.
 *
 * @module
 */
import { choice, DURATION, file, integer, type OptionKind, SIZE } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";
import { BUS, type NatsUrl } from "../endpoint/nats_url.ts";
import { CONSOLE_OPTIONS, type ConsoleConfig } from "./console_options.ts";
import { LISTEN } from "../endpoint/parse.ts";
import type { AdmissionConfig } from "./admission_options.ts";
import type { Address, InternetAddress } from "../endpoint/address.ts";
import type { OutletOptions } from "./outlet_options.ts";

/** The values of a server's options, without admission. */
export interface ServerOptions extends ConsoleConfig {
  /** The number of worker threads; `auto` is one per core. */
  readonly workers: number | "auto";
  /** How long connections may continue after the server stops, in milliseconds. */
  readonly "drain-timeout": number;
  /** Whether to keep the handshake of each connection. */
  readonly trace: boolean;
  /** Log lines as text, or as JSON objects. */
  readonly "log-format": "text" | "json";
  /** The lowest level to log. */
  readonly "log-level": "debug" | "info" | "warning" | "error";
  /** The log file; stderr by default. */
  readonly "log-file": string | undefined;
  /** The size in bytes at which the log file is rotated. */
  readonly "log-file-size": number;
  /** How many log files are kept, including the current one. */
  readonly "log-files": number;
  /** The address of the metrics. */
  readonly metrics: InternetAddress | undefined;
  /** The NATS server that connects chat rooms of several servers. */
  readonly bus: NatsUrl | undefined;
  /** The credentials file for NATS. */
  readonly "bus-credentials": string | undefined;
  /** The file of CA certificates to trust for NATS (PEM). */
  readonly "bus-ca": string | undefined;
}

const THREADS = integer({ min: 1, max: 64 });

const WORKERS: OptionKind<number | "auto"> = {
  expects: `${THREADS.expects}, or auto`,
  placeholder: "N|auto",
  choices: ["auto"],
  ...THREADS.bounds ? { bounds: THREADS.bounds } : {},
  parse: (word) => word === "auto" ? word : THREADS.parse(word),
};

/** The options of {@linkcode ServerOptions}. */
export const SERVER_OPTIONS: TableOf<ServerOptions> = {
  workers: option(WORKERS, "number of threads that share the clients; auto: one per core", {
    default: 1,
  }),
  "drain-timeout": option(
    DURATION,
    "when stopping: time for open connections to end, then they are closed",
    {
      default: 10_000,
      defaultText: "10s",
    },
  ),
  trace: flag("capture each connection's TCP handshake, for /connections and the console"),
  "log-format": option(
    choice(["text", "json"]),
    "format of the log: text, or one JSON object per line",
    {
      default: "text",
    },
  ),
  "log-level": option(
    choice(["debug", "info", "warning", "error"]),
    "log events of this level and above",
    { default: "info" },
  ),
  "log-file": option(file("append"), "write the log to this file instead of stderr"),
  "log-file-size": option(SIZE, "rotate the log file to FILE.1 at this size", {
    needs: ["log-file"],
    default: 10 * 1024 ** 2,
    defaultText: "10M",
  }),
  "log-files": option(
    integer({ min: 1, max: 1000 }),
    "number of log files to keep, FILE included",
    {
      needs: ["log-file"],
      default: 5,
    },
  ),
  metrics: option(
    LISTEN,
    "serve /metrics (Prometheus) and /healthz at this address; :PORT is 127.0.0.1",
  ),
  bus: option(BUS, "share named chat rooms with other servers over this NATS server", {
    secret: true,
  }),
  "bus-credentials": option(file("read"), "NATS credentials file, as written by nsc", {
    needs: ["bus"],
  }),
  "bus-ca": option(
    file("read"),
    "trust the CA certificates in this PEM file for the bus; enables TLS",
    { needs: ["bus"] },
  ),
  ...CONSOLE_OPTIONS,
};

/** The config of an outlet. */
export interface OutletConfig {
  /** Its own name, if any; unique in the config. */
  readonly name: string | undefined;
  /** The service's name, which stands for the outlet where it has no name. */
  readonly service: string;
  /** Where to listen; port 0 takes a free port. */
  readonly listen: Address;
  /** The values of the service's options. */
  readonly serviceOptions: Readonly<Record<string, unknown>>;
  /** The values of options that every outlet has. */
  readonly outletOptions: OutletOptions;
  /** The outlet's own limits on clients. */
  readonly admissionOptions: AdmissionConfig;
}

/** The config of a server, as plain data. */
export interface ServerConfig {
  /** Its outlets, in the order in which they are opened. */
  readonly outlets: readonly OutletConfig[];
  /** The values of the server's options. */
  readonly options: ServerOptions;
  /** The limits on clients over all outlets together. */
  readonly admissionOptions: AdmissionConfig;
}
