/**
 * ICMP and ICMPv6 error messages.
 *
 * @module
 */
/**
 * Whether an ICMP (RFC 792) or ICMPv6 (RFC 4443) message is "destination unreachable" or "time
 * exceeded".
 */
export function isIcmpError({ type, isVersion6 }: { type: number; isVersion6: boolean }): boolean {
  return isVersion6 ? type === 1 || type === 3 : type === 3 || type === 11;
}

/** Names an ICMP error as in RFC 792, RFC 1122, RFC 1812 and RFC 4443. */
export function describeIcmpError(
  { type, code, isVersion6 }: { type: number; code: number; isVersion6: boolean },
): string {
  if (type === (isVersion6 ? 3 : 11)) return "time exceeded";
  const texts = isVersion6 ? UNREACHABLE_V6 : UNREACHABLE_V4;
  return texts[code] ?? `unreachable, code ${code}`;
}

const UNREACHABLE_V4: readonly (string | undefined)[] = [
  "network unreachable",
  "host unreachable",
  "protocol unreachable",
  "port unreachable",
  "fragmentation needed",
  "source route failed",
  "network unknown",
  "host unknown",
  "source host isolated",
  "network prohibited",
  "host prohibited",
  "network unreachable for this service",
  "host unreachable for this service",
  "communication prohibited by a filter",
  "host precedence violation",
  "precedence cutoff in effect",
];

const UNREACHABLE_V6: readonly (string | undefined)[] = [
  "no route to destination",
  "communication prohibited by a filter",
  "beyond the scope of the source address",
  "address unreachable",
  "port unreachable",
  "source address failed a policy",
  "route rejected",
];
