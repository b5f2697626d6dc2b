/**
 * Floods of every service and every other surface that clients can reach. A service or transport
 * without floods here fails a test.
 *
 * @module
 */
import { CARRIERS } from "../../src/transport/carriers.ts";
import { DATAGRAM_CARRIERS } from "../../src/transport/datagrams.ts";
import { LAYERS } from "../../src/transport/layers.ts";

/** Floods for any byte stream, named as the functions in `attack.py`. */
const STREAM = [
  "newlines",
  "huge_line",
  "one_byte",
  "garbage",
  "resets",
  "half_open",
  "half_close",
  "stalls",
] as const;

/** Floods of any UDP outlet. The names are those of the functions in `attack.py`. */
const DATAGRAMS = ["datagrams", "empty_datagrams", "long_datagrams", "many_sources"] as const;

/** A surface of the server under test. */
export interface Surface {
  /** Its name. */
  readonly name: string;
  /** The services and transports that it covers; none if it is not an outlet. */
  readonly covers: readonly string[];
  /**
   * The SPEC of its outlet; `FOLDER` is replaced by a new folder, `ECHO_PORT` by the echo outlet's
   * port.
   */
  readonly spec?: string;
  /** The arguments that open it if it is not an outlet; `PORT` is replaced by a free port. */
  readonly args?: readonly string[];
  /** Its floods. */
  readonly floods: readonly string[];
}

/** All surfaces that clients can reach. */
export const SURFACES: readonly Surface[] = [
  {
    name: "chat",
    covers: ["chat", "tcp"],
    spec: "chat://127.0.0.1:0?history=100",
    floods: [...STREAM, "lines", "commands", "escapes"],
  },
  { name: "broker", covers: ["broker"], spec: "broker://127.0.0.1:0", floods: STREAM },
  {
    name: "broker with output files",
    covers: ["broker"],
    spec: "broker://127.0.0.1:0?crlf&json&output=FOLDER/records&hex-dump=/dev/null",
    floods: ["newlines", "one_byte", "garbage", "resets", "half_open", "stalls"],
  },
  { name: "echo", covers: ["echo"], spec: "echo://127.0.0.1:0", floods: STREAM },
  { name: "discard", covers: ["discard"], spec: "discard://127.0.0.1:0", floods: STREAM },
  { name: "chargen", covers: ["chargen"], spec: "chargen://127.0.0.1:0", floods: STREAM },
  { name: "qotd", covers: ["qotd"], spec: "qotd://127.0.0.1:0", floods: ["resets", "half_close"] },
  { name: "daytime", covers: ["daytime"], spec: "daytime://127.0.0.1:0", floods: ["resets"] },
  { name: "time", covers: ["time"], spec: "time://127.0.0.1:0", floods: ["resets"] },
  {
    name: "record",
    covers: ["record"],
    spec: "record://127.0.0.1:0?file=FOLDER/record.log&rotate-size=16M&keep=2",
    floods: STREAM,
  },
  {
    name: "exec",
    covers: ["exec"],
    spec: "exec://127.0.0.1:0?run=cat&max-connections=64",
    floods: [...STREAM, "lines"],
  },
  {
    name: "exec that complains",
    covers: ["exec"],
    spec: "exec://127.0.0.1:0?run=FOLDER/complain&max-connections=16",
    floods: ["newlines", "garbage", "escapes"],
  },
  {
    name: "forward",
    covers: ["forward"],
    spec: "forward://127.0.0.1:0?to=127.0.0.1:ECHO_PORT",
    floods: STREAM,
  },
  {
    name: "first bytes",
    covers: ["forward"],
    spec: "forward://127.0.0.1:0?sni=a.test=127.0.0.1:ECHO_PORT" +
      "&route=http=127.0.0.1:ECHO_PORT,else=127.0.0.1:ECHO_PORT",
    floods: [
      ...["half_hellos", "large_half_hellos", "hello_records", "half_protocols"],
      ...["half_open", "one_byte", "garbage", "resets"],
    ],
  },
  {
    name: "proxy",
    covers: ["proxy"],
    spec: "proxy://127.0.0.1:0",
    floods: [
      ...STREAM,
      ...["socks_half_requests", "socks_connects", "socks_nested", "socks_binds"],
      ...["socks_datagrams", "http_chunks", "half_requests", "many_headers", "requests"],
    ],
  },
  {
    name: "proxy with passwords",
    covers: ["proxy"],
    spec: "proxy://127.0.0.1:0?auth=FOLDER/users",
    floods: ["socks_passwords", "http_passwords", "garbage", "half_open", "resets"],
  },
  {
    name: "stdio",
    covers: ["stdio"],
    spec: "stdio://127.0.0.1:0?clients=many&keep",
    floods: ["newlines", "garbage", "resets", "half_open"],
  },
  {
    name: "TLS",
    covers: ["tls"],
    spec: "echo://127.0.0.1:0?tls&tls-self-signed",
    floods: ["half_hellos", "garbage", "resets", "half_open", "newlines"],
  },
  {
    name: "WebSocket",
    covers: ["ws"],
    spec: "echo+ws://127.0.0.1:0?max-message=64k",
    floods: [
      ...["ws_frames", "ws_tiny_frames", "ws_pings", "ws_fragments", "ws_half_frames", "ws_stalls"],
      ...[
        "half_upgrades",
        "many_headers",
        "requests",
        "garbage",
        "resets",
        "half_open",
        "newlines",
      ],
    ],
  },
  {
    name: "PROXY header",
    covers: ["proxy-protocol"],
    spec: "echo://127.0.0.1:0?accept-proxy",
    floods: ["half_proxy_headers", "proxy_headers", "garbage", "resets", "half_open", "newlines"],
  },
  {
    name: "Unix socket",
    covers: ["unix"],
    spec: "echo+unix://FOLDER/echo.sock",
    floods: ["newlines", "garbage", "half_open", "half_close", "stalls"],
  },
  { name: "echo over UDP", covers: ["udp"], spec: "echo+udp://127.0.0.1:0", floods: DATAGRAMS },
  {
    name: "echo over UDP with output files",
    covers: ["udp"],
    spec: "echo+udp://127.0.0.1:0?json&output=FOLDER/datagrams&hex-dump=/dev/null",
    floods: DATAGRAMS,
  },
  {
    name: "chargen over UDP",
    covers: ["udp"],
    spec: "chargen+udp://127.0.0.1:0",
    floods: DATAGRAMS,
  },
  {
    name: "record over UDP",
    covers: ["udp"],
    spec: "record+udp://127.0.0.1:0?file=FOLDER/datagrams.log&rotate-size=16M&keep=2",
    floods: DATAGRAMS,
  },
  {
    name: "forward over UDP",
    covers: ["udp"],
    spec: "forward+udp://127.0.0.1:0?to=127.0.0.1:ECHO_PORT",
    floods: DATAGRAMS,
  },
  {
    name: "metrics",
    covers: ["http"],
    args: ["--metrics", "127.0.0.1:PORT"],
    floods: ["half_requests", "many_headers", "requests", "garbage", "half_open", "resets"],
  },
  {
    name: "console",
    covers: ["http"],
    args: ["--console", "127.0.0.1:PORT"],
    floods: ["half_requests", "many_headers", "requests", "garbage", "half_open", "resets"],
  },
];

/**
 * Transports that clients can reach, whatever the service: the entries of the tables, and those in
 * no table.
 */
export const TRANSPORTS: readonly string[] = [
  ...Object.keys(CARRIERS),
  ...Object.keys(DATAGRAM_CARRIERS),
  ...Object.keys(LAYERS),
  "proxy-protocol",
  "http",
];
