/**
 * What a server is asked to be. The tables say what can be asked; the types, what was.
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

/** What every outlet has, whatever its service. Times are in milliseconds, and 0 is never. */
export interface OutletOptions extends TlsServerConfig {
  /** What becomes of clients when nobody more may be inside. */
  readonly "when-full": "refuse" | "defer";
  /** When nothing came or went for so long, the connection is closed. */
  readonly "idle-timeout": number | undefined;
  /** When it has lived for so long, it is closed. */
  readonly lifetime: number | undefined;
  /** When its peer took nothing of what was being written for so long, it is closed. */
  readonly "write-timeout": number | undefined;
  /** When one side has ended and nothing came or went for so long, it is closed. */
  readonly "fin-timeout": number | undefined;
  /** Clients that the kernel keeps waiting to be accepted. */
  readonly backlog: number;
  /** Whether the kernel probes silent connections. */
  readonly "keep-alive": boolean;
  /** Whether clients come through a proxy, which announces them (PROXY protocol). */
  readonly "accept-proxy": boolean;
  /** The proxies that may. */
  readonly "trusted-proxy": readonly string[];
  /** The permission bits of a Unix socket's file. */
  readonly mode: number | undefined;
  /** The folder for a hex dump of each connection. */
  readonly capture: string | undefined;
  /** The most bytes of each dump. */
  readonly "capture-limit": number;
}

/** What the server has as a whole, beside who may come in. */
export interface ServerOptions extends ConsoleConfig {
  /** How many workers share the clients; `auto` is one for each core. */
  readonly workers: number | "auto";
  /** Milliseconds that connections may go on once the server stops. */
  readonly "drain-timeout": number;
  /** Whether the handshake of each connection is kept, for whoever asks for the connections. */
  readonly trace: boolean;
  /** Events for people, or one JSON object a line. */
  readonly "log-format": "text" | "json";
  /** The least serious events to show. */
  readonly "log-level": "debug" | "info" | "warning" | "error";
  /** The file that events go to, instead of stderr. */
  readonly "log-file": string | undefined;
  /** Bytes in that file before it is put aside and a new one begun. */
  readonly "log-file-size": number;
  /** How many files are kept, put-aside ones included. */
  readonly "log-files": number;
  /** Where the metrics are served. */
  readonly metrics: InternetAddress | undefined;
  /** What carries rooms from server to server. */
  readonly bus: NatsUrl | undefined;
  /** The file that says who we are on it. */
  readonly "bus-credentials": string | undefined;
  /** The file of the authorities to trust there. */
  readonly "bus-ca": string | undefined;
}

/** Permission bits in octal digits. */
const MODE: OptionKind<number> = {
  expects: "permission bits in octal, such as 0660",
  placeholder: "MODE",
  write: (mode) => mode.toString(8).padStart(4, "0"),
  read: (word) => /^0?[0-7]{3}$/.test(word) ? parseInt(word, 8) : undefined,
};

const THREADS = integer({ min: 1, max: 64 });

const WORKERS: OptionKind<number | "auto"> = {
  expects: `${THREADS.expects}, or auto`,
  placeholder: "N|auto",
  choices: ["auto"],
  ...THREADS.bounds ? { bounds: THREADS.bounds } : {},
  read: (word) => word === "auto" ? word : THREADS.read(word),
};

/** A name that people, logs and metrics can hold. */
const NAME: OptionKind<string> = {
  expects: "a name of 1 to 64 letters, digits, dots, dashes and underscores",
  placeholder: "NAME",
  read: (word) => /^[A-Za-z0-9_.-]{1,64}$/.test(word) ? word : undefined,
};

/** What can be said of one outlet alone. */
export const OUTLET_IDENTITY: TableOf<Pick<OutletConfig, "name">> = {
  name: option(
    NAME,
    "name of the outlet in log, metrics and console",
    {
      defaultText: "the service's name",
    },
  ),
};

/** What can be asked of one outlet, in its SPEC, or of each of them, in flags. */
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

/** What can be asked of the server as a whole. */
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

/** One outlet: a service behind a welcome socket. */
export interface OutletConfig {
  /** What the outlet is called, where it has a name of its own; no other outlet has the same. */
  readonly name: string | undefined;
  /** The service's name, which is also what events call an outlet without a name. */
  readonly service: string;
  /** Where to listen; port 0 takes a free port. */
  readonly listen: Address;
  /** The values of the service's own options. */
  readonly serviceOptions: Readonly<Record<string, unknown>>;
  /** The values of the options that every outlet has. */
  readonly outletOptions: OutletOptions;
  /** Who may come in here. */
  readonly admissionOptions: AdmissionConfig;
}

/** A whole server: plain data that could be printed, sent or compared. */
export interface ServerConfig {
  /** Its outlets, in the order in which they are opened. */
  readonly outlets: readonly OutletConfig[];
  /** The values of the options that the server has as a whole. */
  readonly options: ServerOptions;
  /** Who may come in, over all outlets together. */
  readonly admissionOptions: AdmissionConfig;
}
