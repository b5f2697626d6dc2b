/**
 * Counts packets without a TCP segment, by protocol or by reason.
 *
 * @module
 */
import {
  ETHER_TYPES,
  IP_PROTOCOLS,
  LINK_TYPES,
  LLC_SAPS,
  PPP_PROTOCOLS,
} from "./protocol_names.ts";

/** Why a packet holds no TCP segment. Most kinds go with a type number. */
export type UndecodedKind =
  | "link type"
  | "EtherType"
  | "LLC SAP"
  | "PPP protocol"
  | "IP protocol"
  | "802.11 type"
  | "GRE version"
  | "encrypted 802.11"
  | "802.11 A-MSDU"
  | "GRE keepalive"
  | "GTP-U message"
  | "pseudowire channel"
  | "ICMP error"
  | "truncated"
  | "malformed"
  | "fragment"
  | "nested";

/** Maximum number of kinds counted separately. */
const MAX_KINDS = 64;

interface Count {
  readonly kind: UndecodedKind;
  readonly number: number;
  packets: number;
}

/** Packet counts by kind, in bounded memory. */
export class UndecodedCounts {
  readonly #counts = new Map<string, Count>();
  /** Packets of kinds beyond {@linkcode MAX_KINDS}. */
  #otherPackets = 0;

  /** Adds packets of a kind. */
  add(kind: UndecodedKind, number = 0, packets = 1): void {
    const key = `${kind} ${number}`;
    const count = this.#counts.get(key);
    if (count !== undefined) count.packets += packets;
    else if (this.#counts.size < MAX_KINDS) this.#counts.set(key, { kind, number, packets });
    else this.#otherPackets += packets;
  }

  /** Decoded packets without TCP, by protocol name. */
  get withoutTcp(): ReadonlyMap<string, number> {
    return this.#byName(isWithoutTcp);
  }

  /** Packets that could not be decoded, by reason, such as `of link type 7 (ARCNET)`. */
  get undecodable(): ReadonlyMap<string, number> {
    const named = new Map(this.#byName((count) => !isWithoutTcp(count)));
    return this.#otherPackets === 0 ? named : named.set("of other kinds", this.#otherPackets);
  }

  #byName(isIncluded: (count: Count) => boolean): Map<string, number> {
    const names = new Map<string, number>();
    for (const count of [...this.#counts.values()].filter(isIncluded)) {
      const name = nameOf(count);
      names.set(name, (names.get(name) ?? 0) + count.packets);
    }
    return names;
  }
}

/** Whether the packet was decoded and carries no TCP. */
function isWithoutTcp({ kind, number }: Count): boolean {
  switch (kind) {
    case "EtherType":
      return ETHER_TYPES.withoutTcp.has(number);
    case "LLC SAP":
      return LLC_SAPS.withoutTcp.has(number);
    case "PPP protocol":
      return PPP_PROTOCOLS.withoutTcp.has(number);
    case "IP protocol":
      return IP_PROTOCOLS.withoutTcp.has(number);
    case "802.11 type":
    case "GRE keepalive":
    case "GTP-U message":
    case "pseudowire channel":
    case "ICMP error":
      return true;
    default:
      return false;
  }
}

function nameOf(count: Count): string {
  const { kind, number } = count;
  switch (kind) {
    case "link type":
      return `of link type ${number}${inParentheses(LINK_TYPES.get(number))}`;
    case "EtherType":
      return ETHER_TYPES.withoutTcp.get(number) ??
        `of EtherType ${hex(number, 4)}${inParentheses(ETHER_TYPES.undecodable.get(number))}`;
    case "LLC SAP":
      return LLC_SAPS.withoutTcp.get(number) ?? `of LLC SAP ${hex(number, 2)}`;
    case "PPP protocol":
      return PPP_PROTOCOLS.withoutTcp.get(number) ??
        `of PPP protocol ${hex(number, 4)}${inParentheses(PPP_PROTOCOLS.undecodable.get(number))}`;
    case "IP protocol":
      return IP_PROTOCOLS.withoutTcp.get(number) ??
        `of IP protocol ${number}${inParentheses(IP_PROTOCOLS.undecodable.get(number))}`;
    case "802.11 type":
      return ["802.11 management", "802.11 control", "802.11 without data"][number] ?? "802.11";
    case "GRE version":
      return `of GRE version ${number}`;
    case "encrypted 802.11":
    case "802.11 A-MSDU":
      return `of ${kind}`;
    case "truncated":
      return "with truncated headers";
    case "malformed":
      return "with malformed headers";
    case "fragment":
      return "in incomplete fragments";
    case "nested":
      return "in too many tunnels";
    default:
      return kind;
  }
}

function hex(number: number, digits: number): string {
  return `0x${number.toString(16).padStart(digits, "0")}`;
}

function inParentheses(name: string | undefined): string {
  return name === undefined ? "" : ` (${name})`;
}
