/**
 * What a client is asked to be.
 *
 * @module
 */
import { CREDENTIALS, type Credentials, PROXY, type Proxy } from "../endpoint/proxy.ts";
import { choice, DURATION, file, type OptionKind } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";
import type { Address } from "../endpoint/address.ts";
import {
  LOAD_OPTIONS,
  type LoadConfig,
  PROBE_OPTIONS,
  type ProbeConfig,
} from "./measure_options.ts";
import { TLS_CLIENT_OPTIONS, type TlsClientConfig } from "./tls_client_options.ts";

/** How a client goes about it. Times are in milliseconds. */
export interface ClientOptions extends TlsClientConfig, ProbeConfig, LoadConfig {
  /** When to give up connecting. */
  readonly "connect-timeout": number;
  /** When to give up because nothing came or went; never, where it is not said. */
  readonly "idle-timeout": number | undefined;
  /** What the end of the input does: end our half, end both, or nothing. */
  readonly eof: "half-close" | "close" | "wait";
  /** Whether a lone LF of the input is sent as CRLF. */
  readonly crlf: boolean;
  /** Whether to leave once the input is sent, and to show nothing. */
  readonly "send-only": boolean;
  /** Whether the input is never read. */
  readonly "recv-only": boolean;
  /** When to leave once the input has ended; not because of that, where it is not said. */
  readonly "quit-delay": number | undefined;
  /** Who connects in our stead. */
  readonly proxy: Proxy | undefined;
  /** Who we are to it, where the proxy's URL does not say. */
  readonly "proxy-auth": Credentials | undefined;
  /** Whether an HTTP proxy is told that before it asks. */
  readonly "proxy-auth-preemptive": boolean;
  /** How often to try again when there is no connection; may be `Infinity`. */
  readonly retry: number;
  /** The pause before the first of these; the following ones grow. */
  readonly "retry-delay": number;
  /** The file of a conversation to have instead of one with stdin. */
  readonly script: string | undefined;
  /** The file that what arrives is written to, as it is. */
  readonly output: string | undefined;
  /** The file that a hex dump of both directions is written to; `-` is stdout. */
  readonly "hex-dump": string | undefined;
  /** Whether to tell on a terminal how far it is. */
  readonly progress: boolean;
  /** Whether to leave as soon as the connection stands. */
  readonly probe: boolean;
  /** Whether to put the service under load instead. */
  readonly bench: boolean;
  /** Whether results are JSON. */
  readonly json: boolean;
  /** Whether what arrives may steer the terminal. */
  readonly raw: boolean;
  /** Whether to show the handshake. */
  readonly trace: boolean;
  /** Whether its sequence numbers count from each end's first one. */
  readonly relative: boolean;
  /** Whether to tell what happens. */
  readonly verbose: boolean;
}

/** `5`, or `forever`. */
const TIMES: OptionKind<number> = {
  expects: "a whole number, or forever",
  placeholder: "N|forever",
  read: (word) => word === "forever" ? Infinity : /^\d{1,9}$/.test(word) ? Number(word) : undefined,
};

/** What can be asked of a client. */
export const CLIENT_OPTIONS: TableOf<ClientOptions> = {
  "connect-timeout": option(DURATION, "give up connecting after this long", {
    short: "w",
    default: 10_000,
    defaultText: "10s",
  }),
  "idle-timeout": option(DURATION, "give up when nothing came or went for this long", {
    short: "i",
  }),
  eof: option(
    choice(["half-close", "close", "wait"]),
    "at the end of stdin: end our half and read on, end both, or keep both open",
    { default: "half-close" },
  ),
  crlf: flag("send CRLF where a line of stdin ends in LF alone", { short: "C" }),
  "send-only": flag("send stdin, then leave; show nothing that arrives", {
    excludes: ["recv-only"],
  }),
  "recv-only": flag("show what arrives; never read stdin"),
  "quit-delay": option(DURATION, "leave this long after the end of stdin, whatever comes", {
    short: "q",
  }),
  ...TLS_CLIENT_OPTIONS,
  proxy: option(PROXY, "connect through this proxy; socks5h and http have it look up names", {
    secret: true,
  }),
  "proxy-auth": option(
    CREDENTIALS,
    "who we are to a proxy that asks: Digest if it can, else Basic",
    {
      needs: ["proxy"],
      secret: true,
    },
  ),
  "proxy-auth-preemptive": flag(
    "tell an http:// proxy so before it asks, for whoever reads along",
    { needs: ["proxy"] },
  ),
  retry: option(TIMES, "where there is no connection, try again so often", { default: 0 }),
  "retry-delay": option(DURATION, "before the first of these; the next delays grow", {
    needs: ["retry"],
    default: 1_000,
    defaultText: "1s",
  }),
  script: option(
    file("read"),
    "have the conversation in this file: lines of send, expect and others; - is stdin",
  ),
  output: option(file("append"), "write what arrives to this file too, as it is", { short: "o" }),
  "hex-dump": option(
    file("append"),
    "write a hex dump of both directions to this file; - is stdout",
    {
      short: "x",
    },
  ),
  progress: flag("tell on a terminal how much has gone and come, and how fast"),
  probe: flag("connect, say so, and leave; PORT may be a list such as 20-25,80", {
    short: "z",
    excludes: ["bench", "script", "trace"],
  }),
  ...PROBE_OPTIONS,
  bench: flag("put the service under load, and tell what it bore", {
    excludes: ["script", "trace"],
  }),
  ...LOAD_OPTIONS,
  json: flag("tell what was found, or how the connection went, as one JSON object"),
  raw: flag("show what arrives as it is, also on a terminal, where escapes are shown as ␛"),
  trace: flag("show on stderr how the handshake went, segment by segment"),
  relative: flag("count its sequence numbers from each end's first one", { needs: ["trace"] }),
  verbose: flag("tell on stderr what happens and how long it takes", { short: "v" }),
};

/** A whole client: plain data. */
export interface ClientConfig {
  /** What to connect to: one address, or several of one host to probe. */
  readonly targets: readonly [Address, ...Address[]];
  /** The values of the options. */
  readonly options: ClientOptions;
}
