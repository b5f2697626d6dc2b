/**
 * Addresses in SOCKS messages.
 *
 * @module
 */
import { type Address, isHost, isIP, isIPv4, isUnix } from "../../endpoint/address.ts";
import { bytesOfIp, formatIp, ipOfBytes, readIp, unmapped } from "../../endpoint/ip.ts";
import type { ClientReader } from "./client_reader.ts";
import { Refusal } from "./refusal.ts";

/** The address types of SOCKS 5 (RFC 1928, section 5). */
export const ADDRESS_TYPE = { ipv4: 1, name: 3, ipv6: 4 } as const;

/** The host of a SOCKS 5 request. */
export async function readHost(reader: ClientReader): Promise<string> {
  const type = await reader.byte();
  switch (type) {
    case ADDRESS_TYPE.ipv4:
      return hostOf(await reader.bytes(4));
    case ADDRESS_TYPE.ipv6:
      return hostOf(await reader.bytes(16));
    case ADDRESS_TYPE.name:
      return nameOf(await reader.bytes(await reader.byte()));
    default:
      throw new Refusal("address not supported", `address type ${type}`);
  }
}

/** The port in two bytes. */
export async function readPort(reader: ClientReader): Promise<number> {
  const [high = 0, low = 0] = await reader.bytes(2);
  return high << 8 | low;
}

/** The text of an address of 4 or 16 bytes; one that is v4-mapped is IPv4. */
export function hostOf(bytes: Uint8Array): string {
  return formatIp(unmapped(ipOfBytes(bytes)));
}

/** A name, or an address as text. */
export function nameOf(bytes: Uint8Array): string {
  const name = String.fromCharCode(...bytes);
  if (isHost(name) && !name.includes("%")) return isIP(name) ? formatIp(readIp(name)) : name;
  throw new Refusal("unknown name", "what it asks for is no host name");
}

/** The four bytes of an IPv4 address; zeros for others, which SOCKS 4 cannot tell. */
export function ipv4Bytes(address: Address): number[] {
  const isKnown = !isUnix(address) && isIPv4(address.hostname);
  return isKnown ? bytesOfIp(readIp(address.hostname)) : [0, 0, 0, 0];
}

/** The port in two bytes; zeros if there is none. */
export function portBytes(address: Address): number[] {
  return isUnix(address) ? [0, 0] : [address.port >> 8, address.port & 0xff];
}

/** Type, address and port, as in the replies of SOCKS 5. */
export function socks5Bytes(address: Address): number[] {
  if (isUnix(address) || !isIP(address.hostname)) return [ADDRESS_TYPE.ipv4, 0, 0, 0, 0, 0, 0];
  const ip = readIp(address.hostname);
  const type = ip.version === 4 ? ADDRESS_TYPE.ipv4 : ADDRESS_TYPE.ipv6;
  return [type, ...bytesOfIp(ip), ...portBytes(address)];
}
