/**
 * Where clients of a proxy may connect to.
 *
 * @module
 */
import { type Address, isLoopback, isUnix } from "../../endpoint/address.ts";
import { Acl } from "../../endpoint/acl.ts";
import { type Ip, readIp } from "../../endpoint/ip.ts";
import { Refusal } from "./refusal.ts";

/** Options of {@linkcode Destinations}. */
export interface DestinationOptions {
  /** Networks that may be connected to; if empty, all may. */
  readonly "to-allow": readonly string[];
  /** Networks that may not, even if allowed. */
  readonly "to-deny": readonly string[];
  /** Whether remote clients may connect to addresses that only this host has. */
  readonly "to-local": boolean;
}

/**
 * Addresses that lead to this host or to what only it may reach. On Linux, `0.0.0.0` and `::` are
 * loopback addresses if they are connected to.
 */
const LOCAL = [
  { name: "loopback", acl: new Acl({ allow: ["127.0.0.0/8", "0.0.0.0/8", "::1", "::"] }) },
  {
    name: "metadata",
    // AWS and others; AWS ECS; AWS over IPv6; Google over IPv6; Alibaba; Azure; Oracle.
    acl: new Acl({
      allow: [
        ...["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd20:ce::254"],
        ...["100.100.100.200", "168.63.129.16", "192.0.0.192"],
      ],
    }),
  },
  { name: "link-local", acl: new Acl({ allow: ["169.254.0.0/16", "fe80::/10"] }) },
] as const;

/** Networks with IPv4 addresses in them, and where: NAT64 (RFC 6052), 6to4, v4-compatible. */
const WITH_IPV4 = [
  { acl: new Acl({ allow: ["64:ff9b::/96"] }), shift: 0n },
  { acl: new Acl({ allow: ["2002::/16"] }), shift: 80n },
  { acl: new Acl({ allow: ["::/96"] }), shift: 0n },
] as const;

/** The rules of one outlet. */
export class Destinations {
  readonly #acl: Acl;
  readonly #hasRules: boolean;
  readonly #allowsLocal: boolean;

  /** Rules from the outlet's options. */
  constructor({ "to-allow": allow, "to-deny": deny, "to-local": local }: DestinationOptions) {
    this.#acl = new Acl({ allow, deny });
    this.#hasRules = allow.length > 0 || deny.length > 0;
    this.#allowsLocal = local;
  }

  /** Whether this client may only be connected to addresses that were looked at. */
  checksAddresses(client: Address): boolean {
    return this.#hasRules || this.#isRemote(client);
  }

  /**
   * The addresses that the client may be connected to.
   * @throws {Refusal} if there are none
   */
  allowed(
    addresses: readonly string[],
    { client, name }: { client: Address; name: string },
  ): readonly string[] {
    const faults = addresses.map((address) => this.#fault(address, client));
    const allowed = addresses.filter((_, at) => faults[at] === undefined);
    if (allowed.length > 0) return allowed;
    const [address] = addresses;
    throw new Refusal("not allowed", `${address === name ? "" : `${name} is `}${faults[0]}`);
  }

  #fault(address: string, client: Address): string | undefined {
    const ip = readIp(address);
    const variants = variantsOf(ip);
    if (variants.some((each) => this.#acl.refusal(each) === "denied by rule")) {
      return `${address}: denied by to-deny`;
    }
    if (this.#acl.refusal(ip) !== undefined) return `${address}: not in to-allow`;
    if (!this.#isRemote(client)) return undefined;
    const kind = LOCAL.find(({ acl }) => variants.some((each) => isIn(each, acl)));
    return kind && `${address}: a ${kind.name} address of the proxy's host (to-local allows them)`;
  }

  #isRemote(client: Address): boolean {
    return !this.#allowsLocal && !isUnix(client) && !isLoopback(client.hostname);
  }
}

/** The address, and others that a connection to it leads to. */
function variantsOf(ip: Ip): readonly Ip[] {
  const { version, number } = ip;
  const loopback = readIp(version === 4 ? "127.0.0.1" : "::1");
  if (version === 4) return number === 0n ? [ip, loopback] : [ip];
  return [
    ip,
    ...number === 0n ? [loopback] : [],
    ...WITH_IPV4.filter(({ acl }) => isIn(ip, acl)).map(({ shift }): Ip => ({
      version: 4,
      number: number >> shift & 0xffff_ffffn,
    })),
  ];
}

function isIn(ip: Ip, acl: Acl): boolean {
  return acl.refusal(ip) === undefined;
}
