/**
 * Rules about addresses: who may come in, and who may not.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { quote, UsageError } from "../options/usage_error.ts";
import type { OptionKind } from "../options/option.ts";
import { isIPv4, isIPv6 } from "./address.ts";

/** An address, read once for all the rules that look at it; v4-mapped IPv6 is the IPv4 that it means. */
export type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** Why the rules turn an address away. */
export type RuleRefusal = "denied by a rule" | "allowed by no rule";

type Range = [Ip, number];

/** A rule as people write it: an address, or a network as `ADDRESS/BITS`. */
export const CIDR: OptionKind<string> = {
  expects: "an address or a network, such as 192.168.0.0/16 or ::1",
  placeholder: "CIDR",
  read(word) {
    const [network, bits] = readRange(word);
    return bits === lengthOf(network) ? network.toString() : `${network}/${bits}`;
  },
};

/** Rules for one door. A denied address stays out; where any is allowed, all others stay out too. */
export class Acl {
  readonly #allow: readonly Range[];
  readonly #deny: readonly Range[];

  /**
   * Rules in the form that {@linkcode CIDR} reads.
   *
   * @throws {UsageError} which says what is wrong with a rule
   */
  constructor({ allow = [], deny = [] }: { allow?: readonly string[]; deny?: readonly string[] }) {
    this.#allow = allow.map(readRange);
    this.#deny = deny.map(readRange);
  }

  /** Why the address may not come in; `undefined` where it may. */
  refusal(ip: Ip): RuleRefusal | undefined {
    if (this.#deny.some((range) => isIn(ip, range))) return "denied by a rule";
    if (this.#allow.length === 0 || this.#allow.some((range) => isIn(ip, range))) return undefined;
    return "allowed by no rule";
  }
}

/** The address of a socket's end, ready to be compared; a zone (`fe80::1%eth0`) does not count. */
export function readIp(host: string): Ip {
  return ipaddr.process(host.replace(/%.*$/, ""));
}

/** What counts as one peer: an IPv4 address, or the /64 of an IPv6 address, which one site has as a whole. */
export function peerKey(ip: Ip): string {
  if (ip.kind() === "ipv4") return ip.toString();
  return (ip as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16)).join(":") + "::/64";
}

function isIn(ip: Ip, [network, bits]: Range): boolean {
  return ip.kind() === network.kind() && ip.match(network, bits);
}

function readRange(rule: string): Range {
  const [, host = "", bitsWord] = /^([^/]*)(?:\/(.*))?$/s.exec(rule)!;
  const address = readAddress(host);
  const longest = lengthOf(address);
  if (bitsWord === undefined) return unmapped(address, longest);
  const bits = /^(0|[1-9]\d{0,2})$/.test(bitsWord) ? Number(bitsWord) : NaN;
  if (!(bits <= longest)) {
    throw new UsageError(`expected 0 to ${longest} behind the slash, not ${quote(bitsWord)}`);
  }
  const network = networkOf(address, bits);
  if (network.toString() !== address.toString()) {
    throw new UsageError(`bits are set behind the first ${bits}: did you mean ${network}/${bits}?`);
  }
  return unmapped(address, bits);
}

function readAddress(host: string): Ip {
  if (isIPv4(host) || isIPv6(host)) return ipaddr.parse(host);
  if (host.includes("%")) throw new UsageError("a rule has no zone: leave out what begins with %");
  if (/^[\d.]+$/.test(host) && /(^|\.)0\d/.test(host)) {
    throw new UsageError("a number with a leading zero is octal to some and decimal to others");
  }
  throw new UsageError(`expected ${CIDR.expects}`);
}

/** A rule about `::ffff:0:0/96`, where IPv6 holds the IPv4 addresses, is a rule about those. */
function unmapped(address: Ip, bits: number): Range {
  const v6 = address as ipaddr.IPv6;
  const mapped = address.kind() === "ipv6" && bits >= 96 && v6.isIPv4MappedAddress();
  return mapped ? [v6.toIPv4Address(), bits - 96] : [address, bits];
}

function networkOf(address: Ip, bits: number): Ip {
  const bytes = address.toByteArray().map((byte, at) => {
    const kept = Math.min(Math.max(bits - at * 8, 0), 8);
    return byte & (0xff << (8 - kept));
  });
  return ipaddr.fromByteArray(bytes);
}

function lengthOf(address: Ip): number {
  return address.kind() === "ipv4" ? 32 : 128;
}
