/**
 * IP addresses as numbers, to be compared and masked.
 *
 * @module
 */
import { parseIp, stringifyIp } from "ip-bigint";

/** An address, read once for all who look at it; v4-mapped IPv6 is the IPv4 that it means. */
export interface Ip {
  /** Its bits. */
  readonly number: bigint;
  /** 4 or 6. */
  readonly version: 4 | 6;
}

/** Where IPv6 holds the IPv4 addresses: `::ffff:0:0/96`. */
const MAPPED = 0xffffn << 32n;

/** The bits of an address of this version. */
export function lengthOf({ version }: Pick<Ip, "version">): number {
  return version === 4 ? 32 : 128;
}

/** The address as it stands, also a v4-mapped one. The text has to be an address: see {@linkcode isIPv4}. */
export function readExactIp(text: string): Ip {
  const { number, version } = parseIp(text);
  return { number, version };
}

/** The address of a socket's end, ready to be compared; a zone (`fe80::1%eth0`) does not count. */
export function readIp(host: string): Ip {
  return unmapped(readExactIp(host));
}

/** Whether it is an IPv4 address in the form of an IPv6 one. */
export function isMapped({ number, version }: Ip): boolean {
  return version === 6 && number >> 32n === MAPPED >> 32n;
}

/** The IPv4 address that a v4-mapped one means; any other as it is. */
export function unmapped(ip: Ip): Ip {
  return isMapped(ip) ? { number: ip.number - MAPPED, version: 4 } : ip;
}

/** The address as people write it (RFC 5952). */
export function formatIp(ip: Ip): string {
  return stringifyIp(ip);
}

/** What the first `bits` bits name: the address with all others zero. */
export function networkOf({ number, version }: Ip, bits: number): Ip {
  const rest = BigInt(lengthOf({ version }) - bits);
  return { number: number >> rest << rest, version };
}

/** The address whose bytes these are, 4 or 16, the most significant first. */
export function ipOfBytes(bytes: Uint8Array): Ip {
  const number = bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
  return { number, version: bytes.length === 4 ? 4 : 6 };
}

/** Its bytes, the most significant first. */
export function bytesOfIp(ip: Ip): number[] {
  const length = lengthOf(ip) / 8;
  return Array.from(
    { length },
    (_, at) => Number(ip.number >> BigInt((length - 1 - at) * 8) & 0xffn),
  );
}

/** What counts as one peer: an IPv4 address, or the /64 of an IPv6 address, which one site has as a whole. */
export function peerKey(ip: Ip): string {
  return ip.version === 4 ? formatIp(ip) : `${formatIp(networkOf(ip, 64))}/64`;
}
