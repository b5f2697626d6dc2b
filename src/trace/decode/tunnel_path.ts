/**
 * Through what a packet came: VLANs and tunnels, outermost first.
 *
 * @module
 */
import { addressText } from "./ip_address.ts";

/** What wraps a packet and has a number that tells one from another of its kind. */
export type NumberedTunnel =
  | "VLAN"
  | "802.1ah"
  | "MPLS"
  | "PPPoE"
  | "VXLAN"
  | "Geneve"
  | "GRE"
  | "ERSPAN"
  | "GTP-U";

/** What wraps a packet and is known by its two ends only. */
export type UnnumberedTunnel = "GRE" | "4in4" | "4in6" | "6in4" | "6in6" | "EtherIP" | "PPTP";

interface Wrapping {
  kind: NumberedTunnel | UnnumberedTunnel | "AH";
  number: number;
  readonly ends: Int32Array;
  hasEnds: boolean;
}

/** A path of more wrappings than this is not followed. */
export const MOST_WRAPPINGS = 12;

/** Through what a packet came. One object is filled anew for each packet. */
export class TunnelPath {
  /**
   * The same number for packets that came through the same tunnels, and 0 for those that came
   * through none that could be told from another.
   */
  key = 0;
  readonly #wrappings: Wrapping[] = [];
  #length = 0;

  /** How many wrappings there are. */
  get length(): number {
    return this.#length;
  }

  /** Forgets the path of the packet before. */
  clear(): void {
    this.key = 0;
    this.#length = 0;
  }

  /** Goes into a tunnel that has a number. */
  enter(kind: NumberedTunnel, number: number): void {
    const wrapping = this.#next();
    wrapping.kind = kind;
    wrapping.number = number;
    this.#mix(kind.length * 31 + kind.charCodeAt(0));
    this.#mix(number);
  }

  /** Goes into a tunnel between two addresses, which lie in words 0 to 3 and 4 to 7. */
  enterBetween(kind: UnnumberedTunnel, addresses: Int32Array): void {
    const wrapping = this.#next();
    wrapping.kind = kind;
    wrapping.hasEnds = true;
    wrapping.ends.set(addresses);
    // Both directions of a tunnel are one.
    if (isBehind(addresses)) {
      wrapping.ends.copyWithin(0, 4);
      wrapping.ends.set(addresses.subarray(0, 4), 4);
    }
    for (const word of wrapping.ends) this.#mix(word);
  }

  /** Passes an authentication header, whose numbers come and go with its keys. */
  enterAuthenticated(): void {
    this.#next().kind = "AH";
  }

  /** The path in words, such as `["VLAN 5", "VXLAN 42"]`. */
  words(): string[] {
    return this.#wrappings.slice(0, this.#length).map(wordsOf);
  }

  #next(): Wrapping {
    const last = Math.min(this.#length, MOST_WRAPPINGS - 1);
    const wrapping = this.#wrappings[last] ??= {
      kind: "AH",
      number: 0,
      ends: new Int32Array(8),
      hasEnds: false,
    };
    wrapping.number = 0;
    wrapping.hasEnds = false;
    this.#length = last + 1;
    return wrapping;
  }

  #mix(value: number): void {
    const mixed = Math.imul(this.key ^ value, 0x9e3779b1);
    this.key = (mixed ^ (mixed >>> 15)) || 1;
  }
}

function isBehind(addresses: Int32Array): boolean {
  for (let word = 0; word < 4; word += 1) {
    const difference = (addresses[word]! >>> 0) - (addresses[word + 4]! >>> 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function wordsOf({ kind, number, ends, hasEnds }: Wrapping): string {
  if (kind === "AH") return kind;
  if (kind === "GTP-U") return `${kind} 0x${number.toString(16)}`;
  if (!hasEnds) return `${kind} ${number}`;
  return `${kind} ${addressText(ends)}–${addressText(ends, 4)}`;
}
