/**
 * Rules about addresses: who may come in, and who may not.
 *
 * @module
 */
import { quote, UsageError } from "../options/usage_error.ts";
import type { OptionKind } from "../options/kinds.ts";
import { isIPv4, isIPv6 } from "../endpoint/address.ts";
import {
  formatIp,
  type Ip,
  isMapped,
  lengthOf,
  networkOf,
  readExactIp,
  unmapped,
} from "../endpoint/ip.ts";

/** Why the rules turn an address away. */
export type RuleRefusal = "denied by a rule" | "allowed by no rule";

/** A network: what is left of its addresses when the bits that differ are shifted out. */
interface Range {
  readonly version: Ip["version"];
  readonly shift: bigint;
  readonly prefix: bigint;
}

/** A rule as people write it: an address, or a network as `ADDRESS/BITS`. */
export const CIDR: OptionKind<string> = {
  expects: "an address or a network, such as 192.168.0.0/16 or ::1",
  placeholder: "CIDR",
  read(word) {
    const [network, bits] = readRange(word);
    const address = formatIp(network);
    return bits === lengthOf(network) ? address : `${address}/${bits}`;
  },
};

/** Rules of one outlet or server. A denied address stays out; where any is allowed, all others stay out too. */
export class Acl {
  readonly #allow: readonly Range[];
  readonly #deny: readonly Range[];

  /**
   * Rules in the form that {@linkcode CIDR} reads.
   *
   * @throws {UsageError} which says what is wrong with a rule
   */
  constructor({ allow = [], deny = [] }: { allow?: readonly string[]; deny?: readonly string[] }) {
    this.#allow = allow.map(rangeOf);
    this.#deny = deny.map(rangeOf);
  }

  /** Why the address may not come in; `undefined` where it may. */
  refusal(ip: Ip): RuleRefusal | undefined {
    if (this.#deny.some((range) => isIn(ip, range))) return "denied by a rule";
    if (this.#allow.length === 0 || this.#allow.some((range) => isIn(ip, range))) return undefined;
    return "allowed by no rule";
  }
}

function isIn({ number, version }: Ip, range: Range): boolean {
  return version === range.version && number >> range.shift === range.prefix;
}

function rangeOf(rule: string): Range {
  const [{ number, version }, bits] = readRange(rule);
  const shift = BigInt(lengthOf({ version }) - bits);
  return { version, shift, prefix: number >> shift };
}

/** The address that a rule begins with, and how many of its bits count. */
function readRange(rule: string): [Ip, number] {
  const [, host = "", bitsWord] = /^([^/]*)(?:\/(.*))?$/s.exec(rule)!;
  const address = readAddress(host);
  const longest = lengthOf(address);
  if (bitsWord === undefined) return unmappedRange(address, longest);
  const bits = /^(0|[1-9]\d{0,2})$/.test(bitsWord) ? Number(bitsWord) : NaN;
  if (!(bits <= longest)) {
    throw new UsageError(`expected 0 to ${longest} behind the slash, not ${quote(bitsWord)}`);
  }
  const network = networkOf(address, bits);
  if (network.number !== address.number) {
    throw new UsageError(
      `bits are set behind the first ${bits}: did you mean ${formatIp(network)}/${bits}?`,
    );
  }
  return unmappedRange(address, bits);
}

function readAddress(host: string): Ip {
  if (isIPv4(host) || isIPv6(host)) return readExactIp(host);
  if (host.includes("%")) throw new UsageError("a rule has no zone: leave out what begins with %");
  if (/^[\d.]+$/.test(host) && /(^|\.)0\d/.test(host)) {
    throw new UsageError("a number with a leading zero is octal to some and decimal to others");
  }
  throw new UsageError(`expected ${CIDR.expects}`);
}

/** A rule about `::ffff:0:0/96`, where IPv6 holds the IPv4 addresses, is a rule about those. */
function unmappedRange(address: Ip, bits: number): [Ip, number] {
  return bits >= 96 && isMapped(address) ? [unmapped(address), bits - 96] : [address, bits];
}
