/**
 * Whether two sockets can listen at the same time.
 *
 * @module
 */
import { type Address, isHost, isIPv4, isUnix } from "./address.ts";
import { readIp } from "./ip.ts";

/** Whether one of the addresses takes what the other one wants. A port of 0 is another one each time. */
export function overlaps(one: Address, other: Address): boolean {
  if (isUnix(one) || isUnix(other)) {
    return isUnix(one) && isUnix(other) && one.path === other.path;
  }
  if (one.port !== other.port || one.port === 0) return false;
  return covers(one.hostname, other.hostname) || covers(other.hostname, one.hostname);
}

/** Whether who listens at the one host also gets what is sent to the other. Of a name that is not known. */
export function covers(wide: string, narrow: string): boolean {
  if (wide.toLowerCase() === narrow.toLowerCase()) return true;
  if (!isLiteral(wide)) return false;
  const { number, version } = readIp(wide);
  // A socket on `::` takes IPv4 clients too.
  if (number === 0n && version === 6) return true;
  if (!isLiteral(narrow)) return false;
  const ip = readIp(narrow);
  return ip.version === version && (number === 0n || ip.number === number) &&
    zoneOf(wide) === zoneOf(narrow);
}

/** Whether it is an address, and no name that has to be looked up. */
export function isLiteral(hostname: string): boolean {
  return isHost(hostname) && (isIPv4(hostname) || hostname.includes(":"));
}

function zoneOf(hostname: string): string {
  return /%(.*)$/.exec(hostname)?.[1] ?? "";
}
