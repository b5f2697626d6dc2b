/**
 * SOCKS 5 (RFC 1928), with username and password authentication (RFC 1929).
 *
 * @module
 */
import { type InternetAddress, isIPv4, isIPv6 } from "../../endpoint/address.ts";
import { EITHER_REFUSES } from "../dial_error.ts";
import type { ByteStream } from "../stream.ts";
import { readFull } from "./read_full.ts";
import { writeAll } from "../write_all.ts";
import type { Credentials } from "../../endpoint/proxy.ts";
import type { ProxyHandshakeRequest } from "./handshake.ts";

const VERSION = 5;
const METHOD = { none: 0, password: 2 } as const;
const CONNECT = 1;
const KIND = { ipv4: 1, name: 3, ipv6: 4 } as const;

/** The reply codes (RFC 1928, section 6). */
const REPLIES: readonly string[] = [
  "granted",
  "general SOCKS server failure",
  "connection not allowed by its ruleset",
  "network unreachable from the proxy",
  "host unreachable from the proxy",
  EITHER_REFUSES,
  "TTL expired",
  "command not supported",
  "address type not supported",
];

const encoder = new TextEncoder();

/** Runs the SOCKS 5 handshake. */
export async function socks5(
  socket: ByteStream,
  { target, proxy: { credentials } }: ProxyHandshakeRequest,
): Promise<ByteStream> {
  const methods = credentials ? [METHOD.none, METHOD.password] : [METHOD.none];
  await writeAll(socket, Uint8Array.of(VERSION, methods.length, ...methods));
  const [version, method] = await readFull(socket, 2);
  if (version !== VERSION) throw new Error("it does not speak SOCKS 5");
  if (method === METHOD.password && credentials) {
    await authenticate(socket, credentials);
  } else if (method !== METHOD.none) {
    throw new Error(
      credentials
        ? "it does not support username/password authentication"
        : "authentication required",
    );
  }
  await writeAll(
    socket,
    Uint8Array.of(
      VERSION,
      CONNECT,
      0,
      ...hostBytes(target),
      target.port >> 8,
      target.port & 0xff,
    ),
  );
  await readReply(socket);
  return socket;
}

async function authenticate(socket: ByteStream, { user, password }: Credentials): Promise<void> {
  const [name, secret] = [encoder.encode(user), encoder.encode(password ?? "")];
  if (name.length > 255 || secret.length > 255) {
    throw new Error("the name or password is longer than the 255 bytes that SOCKS 5 allows");
  }
  await writeAll(socket, Uint8Array.of(1, name.length, ...name, secret.length, ...secret));
  const [, status] = await readFull(socket, 2);
  if (status !== 0) throw new Error("authentication failed");
}

async function readReply(socket: ByteStream): Promise<void> {
  const [version, reply = 1, , kind] = await readFull(socket, 4);
  if (version !== VERSION) throw new Error("its response is not SOCKS 5");
  if (reply !== 0) throw new Error(REPLIES[reply] ?? `it answered with code ${reply}`);
  // The bound address is not used, but must be read.
  const length = kind === KIND.ipv4 ? 4 : kind === KIND.ipv6 ? 16 : (await readFull(socket, 1))[0]!;
  await readFull(socket, length + 2);
}

function hostBytes({ hostname }: InternetAddress): Uint8Array {
  if (isIPv4(hostname)) return Uint8Array.of(KIND.ipv4, ...hostname.split(".").map(Number));
  if (isIPv6(hostname)) return Uint8Array.of(KIND.ipv6, ...ipv6Bytes(hostname));
  const name = encoder.encode(hostname);
  return Uint8Array.of(KIND.name, name.length, ...name);
}

function ipv6Bytes(hostname: string): number[] {
  // The URL parser normalizes every spelling, dotted tails too, to groups with at most one `::`.
  const [head = "", tail] = new URL(`http://[${hostname}]/`).hostname.slice(1, -1).split("::");
  const front = groupsOf(head);
  const back = groupsOf(tail ?? "");
  const zeros = Array<number>(8 - front.length - back.length).fill(0);
  return [...front, ...zeros, ...back].flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}
