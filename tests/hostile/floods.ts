/**
 * What is flooded, and how: every service and every surface of a server that strangers can reach. A service or
 * transport that has no floods here fails a test.
 *
 * @module
 */
import { CARRIERS } from "../../src/transport/carriers.ts";
import { LAYERS } from "../../src/transport/layers.ts";

/** Floods that any stream of bytes is under. The names are those of the functions in `attack.py`. */
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

/** A surface of the server under test. */
export interface Surface {
  /** What it is called. */
  readonly name: string;
  /** The service and the transport that it stands for; none for what is no outlet. */
  readonly stands: readonly string[];
  /** The SPEC of its outlet, with `FOLDER` for one of its own and `VICTIM` for the port of the echo beside it. */
  readonly spec?: string;
  /** The words that open it, where it is no outlet; `PORT` is free. */
  readonly words?: readonly string[];
  /** What it is flooded with. */
  readonly floods: readonly string[];
}

/** Everything that strangers can reach. */
export const SURFACES: readonly Surface[] = [
  {
    name: "chat",
    stands: ["chat", "tcp"],
    spec: "chat://127.0.0.1:0?history=100",
    floods: [...STREAM, "lines", "commands", "escapes"],
  },
  { name: "echo", stands: ["echo"], spec: "echo://127.0.0.1:0", floods: STREAM },
  { name: "discard", stands: ["discard"], spec: "discard://127.0.0.1:0", floods: STREAM },
  { name: "chargen", stands: ["chargen"], spec: "chargen://127.0.0.1:0", floods: STREAM },
  { name: "qotd", stands: ["qotd"], spec: "qotd://127.0.0.1:0", floods: ["resets", "half_close"] },
  { name: "daytime", stands: ["daytime"], spec: "daytime://127.0.0.1:0", floods: ["resets"] },
  { name: "time", stands: ["time"], spec: "time://127.0.0.1:0", floods: ["resets"] },
  {
    name: "record",
    stands: ["record"],
    spec: "record://127.0.0.1:0?file=FOLDER/record.log&rotate-size=16M&keep=2",
    floods: STREAM,
  },
  {
    name: "exec",
    stands: ["exec"],
    spec: "exec://127.0.0.1:0?run=cat&max-connections=64",
    floods: [...STREAM, "lines"],
  },
  {
    name: "exec that complains",
    stands: ["exec"],
    spec: "exec://127.0.0.1:0?run=FOLDER/complain&max-connections=16",
    floods: ["newlines", "garbage", "escapes"],
  },
  {
    name: "forward",
    stands: ["forward"],
    spec: "forward://127.0.0.1:0?to=127.0.0.1:VICTIM",
    floods: STREAM,
  },
  {
    name: "stdio",
    stands: ["stdio"],
    spec: "stdio://127.0.0.1:0?clients=many&keep",
    floods: ["newlines", "garbage", "resets", "half_open"],
  },
  {
    name: "TLS",
    stands: ["tls"],
    spec: "echo://127.0.0.1:0?tls&tls-self-signed",
    floods: ["half_hellos", "garbage", "resets", "half_open", "newlines"],
  },
  {
    name: "PROXY header",
    stands: ["proxy-protocol"],
    spec: "echo://127.0.0.1:0?accept-proxy",
    floods: ["half_proxy_headers", "proxy_headers", "garbage", "resets", "half_open", "newlines"],
  },
  {
    name: "Unix socket",
    stands: ["unix"],
    spec: "echo+unix://FOLDER/echo.sock",
    floods: ["newlines", "garbage", "half_open", "half_close", "stalls"],
  },
  {
    name: "metrics",
    stands: ["http"],
    words: ["--metrics", "127.0.0.1:PORT"],
    floods: ["half_requests", "many_headers", "requests", "garbage", "half_open", "resets"],
  },
  {
    name: "console",
    stands: ["http"],
    words: ["--console", "127.0.0.1:PORT"],
    floods: ["half_requests", "many_headers", "requests", "garbage", "half_open", "resets"],
  },
];

/** What strangers reach, whatever the service is: the entries of the tables, and what is no entry of any. */
export const TRANSPORTS: readonly string[] = [
  ...Object.keys(CARRIERS),
  ...Object.keys(LAYERS),
  "proxy-protocol",
  "http",
];
