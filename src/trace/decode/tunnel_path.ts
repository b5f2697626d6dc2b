/**
 * VLANs and tunnels that encapsulate a packet, outermost first.
 *
 * @module
 */
import { addressText } from "./ip_address.ts";

/** Encapsulations with an identifier (VLAN ID, VNI, label, key, TEID). */
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

/** Encapsulations identified by their two endpoints. */
export type UnnumberedTunnel = "GRE" | "4in4" | "4in6" | "6in4" | "6in6" | "EtherIP" | "PPTP";

interface Tunnel {
  kind: NumberedTunnel | UnnumberedTunnel | "AH";
  number: number;
  readonly endpoints: Int32Array;
  hasEndpoints: boolean;
}

/** Maximum number of encapsulations per packet. */
export const MAX_TUNNELS = 12;

/** VLANs and tunnels of one packet. The object is reused for every packet. */
export class TunnelPath {
  /** Hash of the path: equal for packets in the same tunnels, 0 without any identifiable tunnel. */
  key = 0;
  readonly #tunnels: Tunnel[] = [];
  #length = 0;

  /** Number of encapsulations. */
  get length(): number {
    return this.#length;
  }

  /** Removes all encapsulations. */
  clear(): void {
    this.key = 0;
    this.#length = 0;
  }

  /** Adds an encapsulation with an identifier. */
  addNumbered(kind: NumberedTunnel, number: number): void {
    const tunnel = this.#next();
    tunnel.kind = kind;
    tunnel.number = number;
    this.#mix(kind.length * 31 + kind.charCodeAt(0));
    this.#mix(number);
  }

  /** Adds a tunnel between two addresses, given in elements 0 to 3 and 4 to 7. */
  addBetween(kind: UnnumberedTunnel, addresses: Int32Array): void {
    const tunnel = this.#next();
    tunnel.kind = kind;
    tunnel.hasEndpoints = true;
    tunnel.endpoints.set(addresses);
    // Both directions get the same hash.
    if (isSourceGreater(addresses)) {
      tunnel.endpoints.copyWithin(0, 4);
      tunnel.endpoints.set(addresses.subarray(0, 4), 4);
    }
    for (const word of tunnel.endpoints) this.#mix(word);
  }

  /** Adds an authentication header. It does not change the hash: its SPI changes with its keys. */
  addAuthenticationHeader(): void {
    this.#next().kind = "AH";
  }

  /** Names of the encapsulations, such as `["VLAN 5", "VXLAN 42"]`. */
  names(): string[] {
    return this.#tunnels.slice(0, this.#length).map(nameOf);
  }

  #next(): Tunnel {
    const last = Math.min(this.#length, MAX_TUNNELS - 1);
    const tunnel = this.#tunnels[last] ??= {
      kind: "AH",
      number: 0,
      endpoints: new Int32Array(8),
      hasEndpoints: false,
    };
    tunnel.number = 0;
    tunnel.hasEndpoints = false;
    this.#length = last + 1;
    return tunnel;
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
