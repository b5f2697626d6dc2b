/**
 * Explains why the SYN of an attempt was not sent.
 *
 * @module
 */
import type { NextHop } from "../trace/kernel/next_hop.ts";

/** A cause, and how to investigate it. */
export interface UnsentCause {
  /** The cause. */
  readonly cause: string;
  /** What to look at next. */
  readonly next: string;
}

const RULES = "See its rules: nft list ruleset, or iptables-save";

/** Finds the cause from connect(2)'s error code and the next hop of the route. */
export function unsentCause(
  address: string,
  { code, hop }: { code: string | undefined; hop: NextHop | undefined },
): UnsentCause {
  const routeHint = `See the way there: ip route get ${address}`;
  if (code === "ENETUNREACH") return { cause: `there is no route to ${address}`, next: routeHint };
  if (code === "EADDRNOTAVAIL") {
    return { cause: "it has no address or no port left to connect from", next: routeHint };
  }
  if (code === "EACCES" || code === "EPERM") {
    return { cause: `the kernel does not allow it to connect to ${address}`, next: routeHint };
  }
  if (hop?.isUnresolved) {
    const asks = hop.address.includes(":") ? "neighbour solicitation (NDP)" : "ARP";
    return {
      cause: `no answer to ${asks} for ${hop.address} on ${hop.device}`,
      next: `Is it up, and on this network? ip neigh show ${hop.address}`,
    };
  }
  if (code === "ECONNREFUSED") {
    return { cause: "a firewall on this machine rejects it (inferred)", next: RULES };
  }
  if (code === "EHOSTUNREACH") {
    return {
      cause: `its route to ${address} is "unreachable", or a firewall on it rejects (inferred)`,
      next: `${routeHint}. ${RULES}`,
    };
  }
  return { cause: "a firewall on this machine drops it (inferred)", next: RULES };
}
