/**
 * Why the SYN of an attempt did not leave this machine.
 *
 * @module
 */
import type { NextHop } from "../trace/kernel/next_hop.ts";

/** Why, and what to look at. */
export interface UnsentCause {
  /** Why. */
  readonly cause: string;
  /** What to look at. */
  readonly next: string;
}

const RULES = "See its rules: nft list ruleset, or iptables-save";

/** Why nothing was sent to an address, by what connect said and the first step on the way. */
export function unsentCause(
  address: string,
  { code, hop }: { code: string | undefined; hop: NextHop | undefined },
): UnsentCause {
  const way = `See the way there: ip route get ${address}`;
  if (code === "ENETUNREACH") return { cause: `there is no route to ${address}`, next: way };
  if (code === "EADDRNOTAVAIL") {
    return { cause: "it has no address or no port left to connect from", next: way };
  }
  if (code === "EACCES" || code === "EPERM") {
    return { cause: `the kernel does not allow it to connect to ${address}`, next: way };
  }
  if (hop?.isUnresolved) {
    const asks = hop.address.includes(":") ? "neighbour solicitation (NDP)" : "ARP";
    return {
      cause: `nobody answers ${asks} for ${hop.address} on ${hop.device}`,
      next: `Is it up, and on this network? ip neigh show ${hop.address}`,
    };
  }
  if (code === "ECONNREFUSED") {
    return { cause: "a firewall on this machine rejects it (inferred)", next: RULES };
  }
  if (code === "EHOSTUNREACH") {
    return {
      cause: `its route to ${address} is "unreachable", or a firewall on it rejects (inferred)`,
      next: `${way}. ${RULES}`,
    };
  }
  return { cause: "a firewall on this machine drops it (inferred)", next: RULES };
}
