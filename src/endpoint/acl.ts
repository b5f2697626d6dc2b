/**
 * Access control lists: which addresses may connect, or may be connected to.
 *
 * @module
 */
import { quote, UsageError } from "../options/usage_error.ts";
import type { OptionKind } from "../options/kinds.ts";
import { isIPv4, isIPv6 } from "./address.ts";
import { formatIp, type Ip, isMapped, lengthOf, networkOf, readExactIp, unmapped } from "./ip.ts";

/** Why an address is refused. */
export type RuleRefusal = "denied by rule" | "not allowed by any rule";

/** A network as its prefix: an address without its last `shift` bits. */
interface Range {
  readonly version: Ip["version"];
  readonly shift: bigint;
  readonly prefix: bigint;
}

/** A rule: an address, or a network as `ADDRESS/BITS`. */
export const CIDR: OptionKind<string> = {
  expects: "an address or a network, such as 192.168.0.0/16 or ::1",
  placeholder: "CIDR",
  parse(word) {
    const [network, bits] = splitRange(word);
    const address = formatIp(network);
    return bits === lengthOf(network) ? address : `${address}/${bits}`;
  },
};

/** The rules of an outlet or server. Deny wins over allow; if any network is allowed, all others are refused. */
export class Acl {
  readonly #allow: readonly Range[];
  readonly #deny: readonly Range[];

  /**
   * Takes rules in the form that {@linkcode CIDR} parses.
   *
   * @throws {UsageError} which says what is wrong with a rule
   */
  constructor({ allow = [], deny = [] }: { allow?: readonly string[]; deny?: readonly string[] }) {
    this.#allow = allow.map(parseRange);
    this.#deny = deny.map(parseRange);
  }

  /** Why the address is refused; `undefined` where it is not. */
  refusal(ip: Ip): RuleRefusal | undefined {
    if (this.#deny.some((range) => isIn(ip, range))) return "denied by rule";
    if (this.#allow.length === 0 || this.#allow.some((range) => isIn(ip, range))) return undefined;
    return "not allowed by any rule";
  }
}

function isIn({ number, version }: Ip, range: Range): boolean {
  return version === range.version && number >> range.shift === range.prefix;
}

function parseRange(rule: string): Range {
  const [{ number, version }, bits] = splitRange(rule);
  const shift = BigInt(lengthOf({ version }) - bits);
  return { version, shift, prefix: number >> shift };
}

/** The address of a rule and its prefix length. */
function splitRange(rule: string): [Ip, number] {
  const [, host = "", bitsWord] = /^([^/]*)(?:\/(.*))?$/s.exec(rule)!;
  const address = parseAddress(host);
  const longest = lengthOf(address);
  if (bitsWord === undefined) return unmappedRange(address, longest);
  const bits = /^(0|[1-9]\d{0,2})$/.test(bitsWord) ? Number(bitsWord) : NaN;
  if (!(bits <= longest)) {
    throw new UsageError(`expected 0 to ${longest} after the slash, not ${quote(bitsWord)}`);
  }
  const network = networkOf(address, bits);
  if (network.number !== address.number) {
    throw new UsageError(
      `bits are set after the first ${bits}: did you mean ${formatIp(network)}/${bits}?`,
    );
  }
  return unmappedRange(address, bits);
}

function parseAddress(host: string): Ip {
  if (isIPv4(host) || isIPv6(host)) return readExactIp(host);
  if (host.includes("%")) {
    throw new UsageError("a rule has no zone: leave out the % and what follows");
  }
  if (/^[\d.]+$/.test(host) && /(^|\.)0\d/.test(host)) {
    throw new UsageError("a leading zero is ambiguous: some programs read the number as octal");
  }
  throw new UsageError(`expected ${CIDR.expects}`);
}

/** Whether the rule is for all addresses of a version of IP: `0.0.0.0/0` or `::/0`. */
export function isForAll(rule: string): boolean {
  return rule.endsWith("/0");
}

/** Turns a rule within `::ffff:0:0/96`, the IPv4-mapped addresses of RFC 4291 2.5.5.2, into one about IPv4. */
function unmappedRange(address: Ip, bits: number): [Ip, number] {
  return bits >= 96 && isMapped(address) ? [unmapped(address), bits - 96] : [address, bits];
}
