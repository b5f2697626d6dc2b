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

interface Tunnel {
  kind: NumberedTunnel | UnnumberedTunnel | "AH";
  number: number;
  readonly endpoints: Int32Array;
  hasEndpoints: boolean;
}

/** A path of more wrappings than this is not followed. */
export const MAX_TUNNELS = 12;

/** Through what a packet came. One object is filled anew for each packet. */
export class TunnelPath {
  /**
   * The same number for packets that came through the same tunnels, and 0 for those that came
   * through none that could be told from another.
   */
  key = 0;
  readonly #tunnels: Tunnel[] = [];
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
  addNumbered(kind: NumberedTunnel, number: number): void {
    const wrapping = this.#next();
    wrapping.kind = kind;
    wrapping.number = number;
    this.#mix(kind.length * 31 + kind.charCodeAt(0));
    this.#mix(number);
  }

  /** Goes into a tunnel between two addresses, which lie in words 0 to 3 and 4 to 7. */
  addBetween(kind: UnnumberedTunnel, addresses: Int32Array): void {
    const wrapping = this.#next();
    wrapping.kind = kind;
    wrapping.hasEndpoints = true;
    wrapping.endpoints.set(addresses);
    // Both directions of a tunnel are one.
    if (isSourceGreater(addresses)) {
      wrapping.endpoints.copyWithin(0, 4);
      wrapping.endpoints.set(addresses.subarray(0, 4), 4);
    }
    for (const word of wrapping.endpoints) this.#mix(word);
  }

  /** Passes an authentication header, whose numbers come and go with its keys. */
  addAuthenticationHeader(): void {
    this.#next().kind = "AH";
  }

  /** The path in words, such as `["VLAN 5", "VXLAN 42"]`. */
  names(): string[] {
    return this.#tunnels.slice(0, this.#length).map(nameOf);
  }

  #next(): Tunnel {
    const last = Math.min(this.#length, MAX_TUNNELS - 1);
    const wrapping = this.#tunnels[last] ??= {
      kind: "AH",
      number: 0,
      endpoints: new Int32Array(8),
      hasEndpoints: false,
    };
    wrapping.number = 0;
    wrapping.hasEndpoints = false;
    this.#length = last + 1;
    return wrapping;
  }

  #mix(value: number): void {
    const mixed = Math.imul(this.key ^ value, 0x9e3779b1);
    this.key = (mixed ^ (mixed >>> 15)) || 1;
  }
}

function isSourceGreater(addresses: Int32Array): boolean {
  for (let word = 0; word < 4; word += 1) {
    const difference = (addresses[word]! >>> 0) - (addresses[word + 4]! >>> 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function nameOf({ kind, number, endpoints, hasEndpoints }: Tunnel): string {
  if (kind === "AH") return kind;
  if (kind === "GTP-U") return `${kind} 0x${number.toString(16)}`;
  if (!hasEndpoints) return `${kind} ${number}`;
  return `${kind} ${addressText(endpoints)}–${addressText(endpoints, 4)}`;
}
