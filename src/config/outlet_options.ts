/**
 * The options that every outlet has, whatever its service.
 *
 * @module
 */
import { choice, directory, DURATION, integer, type OptionKind, SIZE } from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";
import { OUTPUT_OPTIONS, type OutputConfig } from "./output_options.ts";
import { keepAliveOptions, type KeepAliveTimes } from "../transport/keep_alive_options.ts";
import { CIDR } from "../endpoint/acl.ts";
import { UDP_OPTIONS, type UdpConfig } from "./udp_options.ts";
import { TLS_SERVER_OPTIONS, type TlsServerConfig } from "./tls_server_options.ts";
import {
  WEBSOCKET_SERVER_OPTIONS,
  type WebSocketServerConfig,
} from "./websocket_server_options.ts";

/** The values of options that every outlet has. Times are in milliseconds; 0 disables a timeout. */
export interface OutletOptions
  extends TlsServerConfig, WebSocketServerConfig, KeepAliveTimes, UdpConfig, OutputConfig {
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
  /** Whether the server ends with the first client. */
  readonly once: boolean;
  /** Whether a CR is sent before every LF that lacks one. */
  readonly crlf: boolean;
  /** Whether TCP keep-alive is on. */
  readonly "keep-alive": boolean;
  /** Whether clients connect through a proxy that sends PROXY protocol headers. */
  readonly "accept-proxy": boolean;
  /** The networks of proxies whose headers are trusted. */
  readonly "trusted-proxy": readonly string[];
  /** The permission bits of a Unix socket. */
  readonly mode: number | undefined;
  /** Whether JSON records are written instead of bytes, to `output` or stdout. */
  readonly json: boolean;
  /** The directory for a hex dump of each connection. */
  readonly capture: string | undefined;
  /** The most bytes in each dump. */
  readonly "capture-limit": number;
}

/** Permission bits in octal. */
const MODE: OptionKind<number> = {
  expects: "permission bits in octal, such as 0660",
  placeholder: "MODE",
  write: (mode) => mode.toString(8).padStart(4, "0"),
  parse: (word) => /^0?[0-7]{3}$/.test(word) ? parseInt(word, 8) : undefined,
};

/** A name that is safe in logs, metrics and URLs. */
const NAME: OptionKind<string> = {
  expects: "a name of 1 to 64 letters, digits, dots, dashes and underscores",
  placeholder: "NAME",
  parse: (word) => /^[A-Za-z0-9_.-]{1,64}$/.test(word) ? word : undefined,
};

/** Options that only a single outlet can have. */
export const OUTLET_IDENTITY: TableOf<{ readonly name: string | undefined }> = {
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
    { defaultText: "never; a UDP session after 60s" },
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
  once: flag("serve one client, then stop the server; its exit code says how that ended"),
  crlf: flag("send CRLF for each bare LF of the service", { short: "C" }),
  "keep-alive": flag("send TCP keep-alive probes on idle connections", { default: true }),
  ...keepAliveOptions({ needs: ["keep-alive"] }),
  "accept-proxy": flag(
    "require a PROXY protocol header (v1 or v2) on each connection",
  ),
  "trusted-proxy": list(
    CIDR,
    "trust the PROXY headers or X-Forwarded-For of these addresses; needed unless on loopback",
    {
      needs: ["accept-proxy", "forwarded-for"],
    },
  ),
  ...TLS_SERVER_OPTIONS,
  ...WEBSOCKET_SERVER_OPTIONS,
  mode: option(MODE, "permission bits of the Unix socket, such as 0660", {
    defaultText: "from the umask",
  }),
  ...OUTPUT_OPTIONS,
  json: flag("write received and sent data as JSON records, to output or else to stdout", {
    excludes: ["output-sent"],
  }),
  ...UDP_OPTIONS,
  capture: option(
    directory("make"),
    "write a hex dump of each connection to a file in this directory",
  ),
  "capture-limit": option(SIZE, "maximum size of each dump", {
    needs: ["capture"],
    default: 16 * 1024 * 1024,
    defaultText: "16M",
  }),
};
