/**
 * Datagrams between a client of SOCKS 5 and the proxy (RFC 1928, section 7).
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import type { InternetAddress } from "../../endpoint/address.ts";
import { ADDRESS_TYPE, hostOf, nameOf, socks5Bytes } from "./socks_address.ts";

/** A datagram for a target. */
export interface UdpMessage {
  /** Where to. */
  readonly target: InternetAddress;
  /** The data, which is valid as long as the datagram. */
  readonly data: Uint8Array;
}

/**
 * The message in a client's datagram; a text says why there is none. Fragments are optional in the
 * RFC, and not supported.
 */
export function readUdpMessage(datagram: Uint8Array): UdpMessage | string {
  const [first, second, fragment, type, length = 0] = datagram;
  if (fragment === undefined || type === undefined) return "too short";
  if (first !== 0 || second !== 0) return "malformed";
  if (fragment !== 0) return "a fragment";
  const from = type === ADDRESS_TYPE.name ? 5 : 4;
  const end = from + (LENGTHS[type] ?? length);
  if (LENGTHS[type] === undefined && type !== ADDRESS_TYPE.name) return "unknown address type";
  if (datagram.length < end + 2) return "too short";
  const host = datagram.subarray(from, end);
  const port = datagram[end]! << 8 | datagram[end + 1]!;
  if (port === 0) return "port 0";
  try {
    const hostname = type === ADDRESS_TYPE.name ? nameOf(host) : hostOf(host);
    return { target: { hostname, port }, data: datagram.subarray(end + 2) };
  } catch {
    return "no valid name";
  }
}

const LENGTHS: Readonly<Record<number, number>> = {
  [ADDRESS_TYPE.ipv4]: 4,
  [ADDRESS_TYPE.ipv6]: 16,
};

/** The datagram for the client with data of a remote address. */
export function writeUdpMessage(remote: InternetAddress, data: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(0, 0, 0, ...socks5Bytes(remote)), data]);
}
