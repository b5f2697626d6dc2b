/**
 * Packets without a TCP segment that could be read, counted by what they are instead.
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

/** Why no segment was found in a packet. Most kinds come with a number that tells more. */
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
  | "cut"
  | "malformed"
  | "fragment"
  | "nested";

/** So many kinds are told apart; a capture may hold any number of them. */
const MOST_KINDS = 64;

interface Count {
  readonly kind: UndecodedKind;
  readonly number: number;
  packets: number;
}

/** How many packets held no segment, by what they are instead, in bounded memory. */
export class UndecodedCounts {
  readonly #counts = new Map<string, Count>();
  /** Packets of more kinds than are told apart. */
  #others = 0;

  /** Counts packets of a kind. */
  add(kind: UndecodedKind, number = 0, packets = 1): void {
    const key = `${kind} ${number}`;
    const count = this.#counts.get(key);
    if (count !== undefined) count.packets += packets;
    else if (this.#counts.size < MOST_KINDS) this.#counts.set(key, { kind, number, packets });
    else this.#others += packets;
  }

  /** Packets that were read and carry something other than TCP, by its name. */
  get withoutTcp(): ReadonlyMap<string, number> {
    return this.#byName(isOther);
  }

  /** Packets that could not be read to their end, by why not, such as `of link type 7 (ARCNET)`. */
  get notUnderstood(): ReadonlyMap<string, number> {
    const named = new Map(this.#byName((count) => !isOther(count)));
    return this.#others === 0 ? named : named.set("of further kinds", this.#others);
  }

  #byName(fits: (count: Count) => boolean): Map<string, number> {
    const names = new Map<string, number>();
    for (const count of [...this.#counts.values()].filter(fits)) {
      const name = nameOf(count);
      names.set(name, (names.get(name) ?? 0) + count.packets);
    }
    return names;
  }
}

/** Whether the packet was read, and carries no TCP. */
function isOther({ kind, number }: Count): boolean {
  switch (kind) {
    case "EtherType":
      return ETHER_TYPES.others.has(number);
    case "LLC SAP":
      return LLC_SAPS.others.has(number);
    case "PPP protocol":
      return PPP_PROTOCOLS.others.has(number);
    case "IP protocol":
      return IP_PROTOCOLS.others.has(number);
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
      return `of link type ${number}${inBrackets(LINK_TYPES.get(number))}`;
    case "EtherType":
      return ETHER_TYPES.others.get(number) ??
        `of EtherType ${hex(number, 4)}${inBrackets(ETHER_TYPES.hidden.get(number))}`;
    case "LLC SAP":
      return LLC_SAPS.others.get(number) ?? `of LLC SAP ${hex(number, 2)}`;
    case "PPP protocol":
      return PPP_PROTOCOLS.others.get(number) ??
        `of PPP protocol ${hex(number, 4)}${inBrackets(PPP_PROTOCOLS.hidden.get(number))}`;
    case "IP protocol":
      return IP_PROTOCOLS.others.get(number) ??
        `of IP protocol ${number}${inBrackets(IP_PROTOCOLS.hidden.get(number))}`;
    case "802.11 type":
      return ["802.11 management", "802.11 control", "802.11 without data"][number] ?? "802.11";
    case "GRE version":
      return `of GRE version ${number}`;
    case "encrypted 802.11":
    case "802.11 A-MSDU":
      return `of ${kind}`;
    case "cut":
      return "whose headers were cut off";
    case "malformed":
      return "with contradictory headers";
    case "fragment":
      return "in fragments that never became whole";
    case "nested":
      return "wrapped too deep";
    default:
      return kind;
  }
}

function hex(number: number, digits: number): string {
  return `0x${number.toString(16).padStart(digits, "0")}`;
}

function inBrackets(name: string | undefined): string {
  return name === undefined ? "" : ` (${name})`;
}
