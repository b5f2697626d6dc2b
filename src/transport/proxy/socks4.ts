/**
 * SOCKS 4, and SOCKS 4a, which has names.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "../../endpoint/address.ts";
import type { ByteStream } from "../stream.ts";
import { readFull } from "./read_full.ts";
import { writeAll } from "../write_all.ts";
import type { ProxyHandshakeRequest } from "./handshake.ts";

const VERSION = 4;
const CONNECT = 1;
const GRANTED = 90;

/** The address 0.0.0.1, which announces a name to a 4a proxy. */
const NAME_FOLLOWS = [0, 0, 0, 1];

const REPLIES: Readonly<Record<number, string>> = {
  91: "rejected or failed",
  92: "rejected: it cannot connect to identd on this machine",
  93: "rejected: identd reports another user",
};

const encoder = new TextEncoder();

/** Runs the SOCKS 4 handshake; 4a if the target is a name. */
export async function socks4(
  socket: ByteStream,
  { target, proxy: { credentials } }: ProxyHandshakeRequest,
): Promise<ByteStream> {
  const { hostname, port } = target;
  if (isIPv6(hostname)) throw new Error("SOCKS 4 does not support IPv6: use socks5://");
  const isAddress = isIPv4(hostname);
  const address = isAddress ? hostname.split(".").map(Number) : NAME_FOLLOWS;
  const user = encoder.encode(credentials?.user ?? "");
  const name = isAddress ? [] : [...encoder.encode(hostname), 0];
  await writeAll(
    socket,
    Uint8Array.of(VERSION, CONNECT, port >> 8, port & 0xff, ...address, ...user, 0, ...name),
  );
  const [version, reply = 0] = await readFull(socket, 8);
  if (version !== 0) throw new Error("it does not speak SOCKS 4");
  if (reply !== GRANTED) throw new Error(REPLIES[reply] ?? `it answered with code ${reply}`);
  return socket;
}
