/**
 * Builds encapsulation headers.
 *
 * @module
 */
import { u16, u32 } from "./wire.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const OUTER = [...[10, 9, 0, 1], ...[10, 9, 0, 2]];
const OUTER_V6 = [
  ...[0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
];

/** Concatenates byte strings. */
export function join(...parts: (readonly number[] | Uint8Array)[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** The EtherType of an IP datagram. */
export function typeOf(ip: Uint8Array): number {
  return ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd;
}

/** Adds an outer IPv4 header. */
export function overIpv4(protocol: number, payload: Uint8Array): Bytes {
  const header = [0x45, 0, ...u16(20 + payload.length), 0, 9, 0, 0, 64, protocol, 0, 0, ...OUTER];
  const sum = header.reduce((all, byte, at) => all + (at % 2 === 0 ? byte << 8 : byte), 0);
  const folded = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  header.splice(10, 2, ...u16(folded));
  return join(header, payload);
}

/** Adds an outer IPv6 header. */
export function overIpv6(protocol: number, payload: Uint8Array): Bytes {
  return join([0x60, 0, 0, 0, ...u16(payload.length), protocol, 64, ...OUTER_V6], payload);
}

/** Adds outer UDP and IPv4 headers. */
export function overUdp(port: number, payload: Uint8Array): Bytes {
  return overIpv4(17, join(u16(50_000), u16(port), u16(8 + payload.length), [0, 0], payload));
}

/** An Ethernet frame of any EtherType. */
export function frame(type: number, payload: Uint8Array): Bytes {
  return join([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], u16(type), payload);
}

/** LLC and SNAP header, without the EtherType. */
export const SNAP: readonly number[] = [0xaa, 0xaa, 3, 0, 0, 0];

/** An MPLS label stack entry. */
export function label(number: number, isBottom: boolean): number[] {
  return u32(number * 4096 + (isBottom ? 0x100 : 0) + 64);
}

/** A PPPoE session packet. */
export function pppoe(ip: Uint8Array): Uint8Array {
  const ppp = typeOf(ip) === 0x0800 ? [0, 0x21] : [0, 0x57];
  return join([0x11, 0, 0x12, 0x34], u16(ip.length + 2), ppp, ip);
}
