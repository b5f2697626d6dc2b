/**
 * The options and the config of a server.
 *
 * @module
 */
import {
  choice,
  DURATION,
  file,
  folder,
  integer,
  type OptionKind,
  SIZE,
} from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";
import { BUS, type NatsUrl } from "../endpoint/nats_url.ts";
import { CONSOLE_OPTIONS, type ConsoleConfig } from "./console_options.ts";
import { LISTEN } from "../endpoint/parse.ts";
import type { AdmissionConfig } from "./admission_options.ts";
import { CIDR } from "../admission/acl.ts";
import type { Address, InternetAddress } from "../endpoint/address.ts";
import { TLS_SERVER_OPTIONS, type TlsServerConfig } from "./tls_server_options.ts";

/** The values of options that every outlet has. Times are in milliseconds; 0 disables a timeout. */
export interface OutletOptions extends TlsServerConfig {
  /** What happens to new clients at the connection limit: close them, or do not accept them yet. */
  readonly "when-full": "refuse" | "defer";
  /** Close after this long without data in either direction. */
  readonly "idle-timeout": number | undefined;
  /** Close at this age. */
  readonly lifetime: number | undefined;
  /** Close when the peer has accepted none of the data being written for this long. */
  readonly "write-timeout": number | undefined;
  /** Close a half-closed connection after this long without data. */
  readonly "fin-timeout": number | undefined;
  /** The length of the accept queue, as in listen(2). */
  readonly backlog: number;
  /** Whether TCP keep-alive is on. */
  readonly "keep-alive": boolean;
  /** Whether clients connect through a proxy that sends PROXY protocol headers. */
  readonly "accept-proxy": boolean;
  /** The networks of proxies whose headers are trusted. */
  readonly "trusted-proxy": readonly string[];
  /** The permission bits of a Unix socket. */
  readonly mode: number | undefined;
  /** The folder for a hex dump of each connection. */
  readonly capture: string | undefined;
  /** The most bytes in each dump. */
  readonly "capture-limit": number;
}

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

/** Permission bits in octal. */
const MODE: OptionKind<number> = {
  expects: "permission bits in octal, such as 0660",
  placeholder: "MODE",
  write: (mode) => mode.toString(8).padStart(4, "0"),
  parse: (word) => /^0?[0-7]{3}$/.test(word) ? parseInt(word, 8) : undefined,
};

const THREADS = integer({ min: 1, max: 64 });

const WORKERS: OptionKind<number | "auto"> = {
  expects: `${THREADS.expects}, or auto`,
  placeholder: "N|auto",
  choices: ["auto"],
  ...THREADS.bounds ? { bounds: THREADS.bounds } : {},
  parse: (word) => word === "auto" ? word : THREADS.parse(word),
};

/** A name that is safe in logs, metrics and URLs. */
const NAME: OptionKind<string> = {
  expects: "a name of 1 to 64 letters, digits, dots, dashes and underscores",
  placeholder: "NAME",
  parse: (word) => /^[A-Za-z0-9_.-]{1,64}$/.test(word) ? word : undefined,
};

/** Options that only a single outlet can have. */
export const OUTLET_IDENTITY: TableOf<Pick<OutletConfig, "name">> = {
  name: option(
    NAME,
    "name of the outlet in log, metrics and console",
    {
      defaultText: "the service's name",
    },
  ),
};

/** The options of {@linkcode OutletOptions}: in a SPEC for one outlet, as flags for all. */
export const OUTLET_OPTIONS: TableOf<OutletOptions> = {
  "when-full": option(
    choice(["refuse", "defer"]),
    "at max-connections: close new connections, or leave them in the accept queue",
    { default: "refuse" },
  ),
  "idle-timeout": option(
    DURATION,
    "close a connection after this long without data in either direction",
  ),
  lifetime: option(DURATION, "close a connection after this long, active or not"),
  "write-timeout": option(
    DURATION,
    "close a connection if the peer reads nothing for this long; 0: never",
    {
      default: 60_000,
      defaultText: "60s",
    },
  ),
  "fin-timeout": option(
    DURATION,
    "close a half-closed connection after this long without data; 0: never",
    { default: 60_000, defaultText: "60s" },
  ),
  backlog: option(
    integer({ min: 1, max: 65535 }),
    "length of the kernel's accept queue",
    { default: 4096 },
  ),
  "keep-alive": flag("send TCP keep-alive probes on idle connections", { default: true }),
  "accept-proxy": flag(
    "require a PROXY protocol header (v1 or v2) on each connection",
  ),
  "trusted-proxy": list(
    CIDR,
    "accept PROXY headers only from these addresses; required unless on loopback",
    {
      needs: ["accept-proxy"],
    },
  ),
  ...TLS_SERVER_OPTIONS,
  mode: option(MODE, "permission bits of the Unix socket, such as 0660", {
    defaultText: "from the umask",
  }),
  capture: option(folder("make"), "write a hex dump of each connection to a file in this folder"),
  "capture-limit": option(SIZE, "maximum size of each dump", {
    needs: ["capture"],
    default: 16 * 1024 * 1024,
    defaultText: "16M",
  }),
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
