/**
 * IP addresses as numbers, for comparing and masking.
 *
 * @module
 */
import { parseIp, stringifyIp } from "ip-bigint";

/** A parsed IP address. */
export interface Ip {
  /** The address as an unsigned integer. */
  readonly number: bigint;
  /** The IP version. */
  readonly version: 4 | 6;
}

/** The prefix of v4-mapped addresses, `::ffff:0:0/96` (RFC 4291, section 2.5.5.2). */
const MAPPED = 0xffffn << 32n;

/** The length of an address of this version in bits. */
export function lengthOf({ version }: Pick<Ip, "version">): number {
  return version === 4 ? 32 : 128;
}

/**
 * Parses an address and keeps a v4-mapped one as IPv6. The text must be an address: see {@linkcode
 * isIPv4}.
 */
export function readExactIp(text: string): Ip {
  const { number, version } = parseIp(text);
  return { number, version };
}

/**
 * Parses an address for comparing: a zone (`fe80::1%eth0`) is dropped, and a v4-mapped address
 * becomes IPv4.
 */
export function readIp(host: string): Ip {
  return unmapped(readExactIp(host));
}

/** Whether it is a v4-mapped IPv6 address. */
export function isMapped({ number, version }: Ip): boolean {
  return version === 6 && number >> 32n === MAPPED >> 32n;
}

/** The IPv4 address of a v4-mapped one; any other address unchanged. */
export function unmapped(ip: Ip): Ip {
  return isMapped(ip) ? { number: ip.number - MAPPED, version: 4 } : ip;
}

/** The address as text (RFC 5952). */
export function formatIp(ip: Ip): string {
  return stringifyIp(ip);
}

/** The network of the address: all bits after the first `bits` are zero. */
export function networkOf({ number, version }: Ip, bits: number): Ip {
  const rest = BigInt(lengthOf({ version }) - bits);
  return { number: number >> rest << rest, version };
}

/** The address of 4 or 16 bytes in network byte order. */
export function ipOfBytes(bytes: Uint8Array): Ip {
  const number = bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
  return { number, version: bytes.length === 4 ? 4 : 6 };
}

/** The bytes of the address in network byte order. */
export function bytesOfIp(ip: Ip): number[] {
  const length = lengthOf(ip) / 8;
  return Array.from(
    { length },
    (_, at) => Number(ip.number >> BigInt((length - 1 - at) * 8) & 0xffn),
  );
}

/**
 * The key that limits per address count by: an IPv4 address, or the /64 network of an IPv6 address.
 */
export function peerKey(ip: Ip): string {
  return ip.version === 4 ? formatIp(ip) : `${formatIp(networkOf(ip, 64))}/64`;
}
