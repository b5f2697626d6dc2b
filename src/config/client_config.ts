/**
 * The options and the config of a client.
 *
 * @module
 */
import { CREDENTIALS, type Credentials, PROXY, type Proxy } from "../endpoint/proxy.ts";
import { DURATION, file, times, WORD } from "../options/kinds.ts";
import { flag, option, repeatable, type TableOf } from "../options/option.ts";
import { EOF_OPTIONS, type EofConfig } from "../connection/eof_policy.ts";
import type { Address } from "../endpoint/address.ts";
import { KEEP_ALIVE_OPTIONS, type KeepAliveTimes } from "../transport/keep_alive_options.ts";
import { OUTPUT_OPTIONS, type OutputConfig } from "./output_options.ts";
import { SOURCE, type Source } from "../endpoint/source.ts";
import { DATAGRAM_CLIENT_OPTIONS, type DatagramClientConfig } from "./datagram_client_options.ts";
import {
  LOAD_OPTIONS,
  type LoadConfig,
  PROBE_OPTIONS,
  type ProbeConfig,
} from "./measure_options.ts";
import { TLS_CLIENT_OPTIONS, type TlsClientConfig } from "../transport/tls/client_options.ts";
import {
  WEBSOCKET_CLIENT_OPTIONS,
  type WebSocketClientConfig,
} from "../transport/websocket/client_options.ts";

/** The values of a client's options. Times are in milliseconds. */
export interface ClientOptions
  extends
    DatagramClientConfig,
    TlsClientConfig,
    WebSocketClientConfig,
    KeepAliveTimes,
    ProbeConfig,
    LoadConfig,
    OutputConfig,
    EofConfig {
  /** How long connecting may take. */
  readonly "connect-timeout": number;
  /** The address and the port to come from; the system chooses by default. */
  readonly source: Source | undefined;
  /** Whether only IPv4 is used. */
  readonly ipv4: boolean;
  /** Whether only IPv6 is used. */
  readonly ipv6: boolean;
  /** How long the connection may be idle; unlimited by default. */
  readonly "idle-timeout": number | undefined;
  /** Whether LF without CR is sent as CRLF. */
  readonly crlf: boolean;
  /** The proxy to connect through. */
  readonly proxy: Proxy | undefined;
  /** The credentials for the proxy, where its URL has none. */
  readonly "proxy-auth": Credentials | undefined;
  /** Whether an HTTP proxy gets the credentials before it asks for them. */
  readonly "proxy-auth-preemptive": boolean;
  /** How often to retry connecting; may be `Infinity`. */
  readonly retry: number;
  /** The delay before the first retry; later delays grow. */
  readonly "retry-delay": number;
  /** The script to run instead of reading stdin. */
  readonly script: string | undefined;
  /** Whether stdin is sent to its end after the peer's FIN, also when it pauses. */
  readonly "keep-sending": boolean;
  /** The program that the connection is joined to, and its arguments. */
  readonly command: readonly string[];
  /** Whether the program reads the connection from descriptor 6 and writes to it at descriptor 7. */
  readonly ucspi: boolean;
  /** Whether to show progress on the terminal. */
  readonly progress: boolean;
  /** Whether to close as soon as the connection is established. */
  readonly probe: boolean;
  /** Whether to run a load test instead. */
  readonly bench: boolean;
  /** Whether to print results as JSON. */
  readonly json: boolean;
  /** Whether received control characters go to the terminal unescaped. */
  readonly raw: boolean;
  /** Whether to show the handshake. */
  readonly trace: boolean;
  /** Whether sequence numbers are relative to the initial ones. */
  readonly relative: boolean;
  /** Whether to log each step on stderr. */
  readonly verbose: boolean;
}

/** The options of a client. */
export const CLIENT_OPTIONS: TableOf<ClientOptions> = {
  "connect-timeout": option(
    DURATION,
    "time limit for connecting: look-up, proxy, TLS and WebSocket included; 0: none. Over UDP: " +
      "time to wait for further answers",
    {
      short: "w",
      default: 10_000,
      defaultText: "10s; over UDP 1s",
    },
  ),
  source: option(SOURCE, "come from this address of this machine, or from this port", {
    short: "s",
  }),
  ipv4: flag("connect only over IPv4", { short: "4", excludes: ["ipv6"] }),
  ipv6: flag("connect only over IPv6", { short: "6" }),
  "idle-timeout": option(DURATION, "exit after this long without data in either direction", {
    short: "i",
  }),
  ...KEEP_ALIVE_OPTIONS,
  crlf: flag("send CRLF for each bare LF of stdin", { short: "C" }),
  ...EOF_OPTIONS,
  "keep-sending": flag(
    "when the peer has half-closed, close stdout and go on sending until the end of stdin",
    { excludes: ["send-only", "recv-only", "script", "probe", "bench"] },
  ),
  ...DATAGRAM_CLIENT_OPTIONS,
  ...TLS_CLIENT_OPTIONS,
  ...WEBSOCKET_CLIENT_OPTIONS,
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
  retry: option(times({ min: 0 }), "number of further attempts if connecting fails", {
    default: 0,
  }),
  "retry-delay": option(DURATION, "delay before the first retry; doubles up to 30s", {
    needs: ["retry"],
    default: 1_000,
    defaultText: "1s",
  }),
  script: option(
    file("read"),
    "run the send, expect and other commands in this file; - is stdin",
  ),
  command: repeatable(
    WORD,
    "join the connection to this program's stdin and stdout: all words after --",
    {
      excludes: [
        ...["script", "probe", "bench", "raw"],
        ...["send-only", "recv-only", "keep-sending", "eof", "quit-delay"],
      ],
    },
  ),
  ucspi: flag("give the program the connection as descriptors 6 and 7, as tcpclient does", {
    needs: ["command"],
  }),
  ...OUTPUT_OPTIONS,
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

/** The config of a client. */
export interface ClientConfig {
  /** The addresses to connect to: one, or several ports of one host to probe. */
  readonly targets: readonly [Address, ...Address[]];
  /** The values of the options. */
  readonly options: ClientOptions;
}
