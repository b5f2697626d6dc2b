/**
 * Whether two listening addresses conflict.
 *
 * @module
 */
import { type Address, isHost, isIPv4, isUdp, isUnix } from "./address.ts";
import { readIp } from "./ip.ts";

/** Whether two addresses cannot be listened on at the same time. Port 0 conflicts with nothing. */
export function overlaps(one: Address, other: Address): boolean {
  if (isUnix(one) || isUnix(other)) {
    return isUnix(one) && isUnix(other) && one.path === other.path;
  }
  if (isUdp(one) !== isUdp(other) || one.port !== other.port || one.port === 0) return false;
  return covers(one.hostname, other.hostname) || covers(other.hostname, one.hostname);
}

/**
 * Whether a listener on host `wide` also receives connections to `narrow`. False for different host
 * names, which are not looked up.
 */
export function covers(wide: string, narrow: string): boolean {
  if (wide.toLowerCase() === narrow.toLowerCase()) return true;
  if (!isLiteral(wide)) return false;
  const { number, version } = readIp(wide);
  // A dual-stack socket on `::` accepts IPv4 clients too.
  if (number === 0n && version === 6) return true;
  if (!isLiteral(narrow)) return false;
  const ip = readIp(narrow);
  return ip.version === version && (number === 0n || ip.number === number) &&
    zoneOf(wide) === zoneOf(narrow);
}

/** Whether the host is an IP address and not a name. */
export function isLiteral(hostname: string): boolean {
  return isHost(hostname) && (isIPv4(hostname) || hostname.includes(":"));
}

function zoneOf(hostname: string): string {
  return /%(.*)$/.exec(hostname)?.[1] ?? "";
}
