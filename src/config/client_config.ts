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
  "connect-timeout": option(
    DURATION,
    "time limit for connecting: look-up, proxy and TLS included; 0: none",
    {
      short: "w",
      default: 10_000,
      defaultText: "10s",
    },
  ),
  "idle-timeout": option(DURATION, "exit after this long without data in either direction", {
    short: "i",
  }),
  eof: option(
    choice(["half-close", "close", "wait"]),
    "at the end of stdin: half-close and read on, close, or keep both directions open",
    { default: "half-close" },
  ),
  crlf: flag("send CRLF for each bare LF of stdin", { short: "C" }),
  "send-only": flag("send stdin, then exit; ignore received data", {
    excludes: ["recv-only"],
  }),
  "recv-only": flag("only receive; do not read stdin"),
  "quit-delay": option(DURATION, "exit this long after the end of stdin", {
    short: "q",
  }),
  ...TLS_CLIENT_OPTIONS,
  proxy: option(
    PROXY,
    "connect through this SOCKS or HTTP proxy; socks5h and http resolve names there",
    {
      secret: true,
    },
  ),
  "proxy-auth": option(
    CREDENTIALS,
    "credentials for the proxy; an HTTP proxy gets Digest if it offers it, else Basic",
    {
      needs: ["proxy"],
      secret: true,
    },
  ),
  "proxy-auth-preemptive": flag(
    "send them to an http:// proxy unasked, as Basic, in clear text",
    { needs: ["proxy"] },
  ),
  retry: option(TIMES, "number of further attempts if connecting fails", { default: 0 }),
  "retry-delay": option(DURATION, "delay before the first retry; doubles up to 30s", {
    needs: ["retry"],
    default: 1_000,
    defaultText: "1s",
  }),
  script: option(
    file("read"),
    "run the send, expect and other commands in this file; - is stdin",
  ),
  output: option(file("append"), "also write received data to this file", { short: "o" }),
  "hex-dump": option(
    file("append"),
    "write a hex dump of both directions to this file; - is stdout",
    {
      short: "x",
    },
  ),
  progress: flag("show byte counts and rates on the terminal"),
  probe: flag("test whether ports are open, and exit; PORT may be a list such as 20-25,80", {
    short: "z",
    excludes: ["bench", "script", "trace"],
  }),
  ...PROBE_OPTIONS,
  bench: flag("run a load test and print the results", {
    excludes: ["script", "trace"],
  }),
  ...LOAD_OPTIONS,
  json: flag("print the results, or a report of the connection, as one JSON object"),
  raw: flag("write control characters to the terminal unchanged, instead of as ␛"),
  trace: flag("print the TCP handshake on stderr, segment by segment"),
  relative: flag("print sequence numbers relative to the initial ones", { needs: ["trace"] }),
  verbose: flag("print each step and its time on stderr", { short: "v" }),
};

/** A whole client: plain data. */
export interface ClientConfig {
  /** What to connect to: one address, or several of one host to probe. */
  readonly targets: readonly [Address, ...Address[]];
  /** The values of the options. */
  readonly options: ClientOptions;
}
