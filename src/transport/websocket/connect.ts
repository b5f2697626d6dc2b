/**
 * WebSocket for clients, over any stream: TCP, TLS, a Unix socket, a proxy's tunnel.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { printable } from "../../terminal/printable.ts";
import { withPrefix } from "../prefix.ts";
import type { ByteStream } from "../stream.ts";
import { writeAll } from "../write_all.ts";
import { acceptKey } from "./accept_key.ts";
import { HeadError, HeadReader, type HttpHead } from "../http_head.ts";
import { KeepAlive } from "./keep_alive.ts";
import type { MessageForm } from "./message_encoder.ts";
import { WebSocketStream } from "./websocket_stream.ts";

/** The WebSocket settings of a client. */
export interface WebSocketClientOptions {
  /** The value of `Host`. */
  readonly host: string;
  /** The request target: a path, with its query. */
  readonly target: string;
  /** Further header fields: `Name: value`. */
  readonly headers?: readonly string[];
  /** The subprotocols to offer, preferred first. */
  readonly subprotocols?: readonly string[];
  /** What is sent in a message. Default: binary. */
  readonly form?: MessageForm;
  /** The interval of pings in milliseconds; 0 for none. Default: 30 seconds. */
  readonly ping?: number;
}

/** What was negotiated. */
export interface WebSocketSession {
  /** The request target. */
  readonly target: string;
  /** The subprotocol, if one was agreed on. */
  readonly subprotocol: string | undefined;
}

/** The default interval of pings in milliseconds. */
export const PING_INTERVAL = 30_000;

/** The most characters of a server's own words in an error. */
const MAX_SHOWN = 100;

/**
 * Runs the opening handshake (RFC 6455, section 4.1).
 * @throws {Error} what the server answered instead
 */
export async function connectWebSocket(
  stream: ByteStream,
  options: WebSocketClientOptions,
): Promise<{ socket: ByteStream; session: WebSocketSession }> {
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  await writeAll(stream, new TextEncoder().encode(requestFor(options, key)));
  const { head, rest } = await readResponse(stream);
  const subprotocol = checkResponse(head, { ...options, key });
  const { form = "binary", ping = PING_INTERVAL, target } = options;
  const socket = new WebSocketStream(rest.length > 0 ? withPrefix(stream, rest) : stream, {
    role: "client",
    form,
    // Messages are not held, so their length needs no limit.
    maxMessage: Infinity,
    keepAlive: new KeepAlive(ping),
    note() {},
  });
  return { socket, session: { target, subprotocol } };
}

function requestFor(
  { host, target, headers = [], subprotocols = [] }: WebSocketClientOptions,
  key: string,
): string {
  return [
    `GET ${target} HTTP/1.1`,
    ...headers.some((line) => /^host:/i.test(line)) ? [] : [`Host: ${host}`],
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    ...subprotocols.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${subprotocols.join(", ")}`],
    ...headers,
  ].join("\r\n") + "\r\n\r\n";
}

async function readResponse(stream: ByteStream): Promise<{ head: HttpHead; rest: Uint8Array }> {
  const reader = new HeadReader("response");
  try {
    for (;;) {
      const length = await stream.read(reader.space);
      if (length === null) throw new HeadError("it closed the connection");
      const found = reader.take(length);
      if (found) return found;
    }
  } catch (error) {
    if (!(error instanceof HeadError)) throw error;
    const what = error.message === "no HTTP response" ? "it does not speak HTTP" : error.message;
    throw new Error(`no WebSocket: ${what}`, { cause: error });
  }
}

/** Returns the subprotocol that was agreed on. */
function checkResponse(
  head: HttpHead,
  { key, subprotocols = [] }: WebSocketClientOptions & { key: string },
): string | undefined {
  if (!/^HTTP\/1\.1 101\b/.test(head.start)) throw new Error(`no WebSocket: ${answerOf(head)}`);
  const isUpgrade = head.has("upgrade", "websocket") && head.has("connection", "upgrade");
  if (!isUpgrade || head.only("sec-websocket-accept") !== acceptKey(key)) {
    throw new Error("no WebSocket: the answer 101 does not prove that the server speaks it");
  }
  if (head.list("sec-websocket-extensions").length > 0) {
    throw new Error("no WebSocket: the server uses an extension that was not offered");
  }
  const agreed = head.list("sec-websocket-protocol");
  if (agreed.length > 1 || agreed.some((name) => !subprotocols.includes(name))) {
    throw new Error("no WebSocket: the server chose a subprotocol that was not offered");
  }
  return agreed[0];
}

/** The status and, for a redirect or a missing login, what to do. */
function answerOf(head: HttpHead): string {
  const status = printable(head.start.replace(/^HTTP\/1\.\d /, "").slice(0, MAX_SHOWN));
  const code = status.slice(0, 3);
  const location = head.only("location");
  if (code.startsWith("3") && location !== undefined) {
    return `it answered ${status}, to ${printable(location.slice(0, MAX_SHOWN))}`;
  }
  if (code === "401") return `it answered ${status}: --header 'Authorization: …' sends credentials`;
  return `it answered ${status}`;
}
