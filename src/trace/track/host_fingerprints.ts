/**
 * Compares IP headers of a host's segments: a RST with a different header was sent by another
 * machine.
 *
 * @module
 */
import type { Segment } from "../decode/segment.ts";
import type { End } from "./end.ts";

/** Properties of an IP header that depend on its sender. */
export interface Fingerprint {
  /** Received TTL, or hop limit. */
  readonly hopLimit: number;
  /**
   * Whether it has a flow label (RFC 6437). Linux sets one in all segments of its sockets,
   * including RSTs of closed ports, but not in the RSTs of netfilter.
   */
  readonly hasFlowLabel: boolean;
}

/** Maximum number of hosts; beyond it, the one unchanged for longest is removed. */
const MAX_HOSTS = 4096;

/** The last fingerprint of each host's SYN+ACKs, in bounded memory. */
export class HostFingerprints {
  readonly #hosts = new Map<string | number, Fingerprint>();

  /** Records the IP header of an end's SYN+ACK. */
  record({ address }: End, segment: Segment): void {
    const key = addressKey(address);
    const known = this.#hosts.get(key);
    if (known !== undefined && matches(known, segment)) return;
    this.#hosts.delete(key);
    this.#hosts.set(key, fingerprintOf(segment));
    if (this.#hosts.size <= MAX_HOSTS) return;
    for (const oldest of this.#hosts.keys()) {
      this.#hosts.delete(oldest);
      return;
    }
  }

  /** The last fingerprint of this host, if any. */
  of({ address }: End): Fingerprint | undefined {
    return this.#hosts.get(addressKey(address));
  }
}

/** The fingerprint of a segment. */
export function fingerprintOf({ hopLimit, flowLabel }: Segment): Fingerprint {
  return { hopLimit, hasFlowLabel: flowLabel !== 0 };
}

function matches(known: Fingerprint, { hopLimit, flowLabel }: Segment): boolean {
  return known.hopLimit === hopLimit && known.hasFlowLabel === (flowLabel !== 0);
}

function addressKey(address: readonly number[]): string | number {
  const isVersion4 = address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
  return isVersion4 ? address[3] ?? 0 : address.join();
}
