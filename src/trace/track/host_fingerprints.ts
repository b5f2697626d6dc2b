/**
 * What the IP headers of a host's answers have in common: a reset whose header differs was sent by
 * somebody else.
 *
 * @module
 */
import type { Segment } from "../decode/segment.ts";
import type { End } from "./end.ts";

/** What an IP header tells of who made it. */
export interface Fingerprint {
  /** Its time to live, or hop limit, as it arrived. */
  readonly hopLimit: number;
  /**
   * Whether it has a flow label (RFC 6437). Linux gives one to all that its sockets send, resets of
   * ports where nothing listens among them; what netfilter rejects with has none.
   */
  readonly hasFlowLabel: boolean;
}

/** How many hosts are remembered; of more, who was first seen, or last changed, long ago is forgotten. */
const MAX_HOSTS = 4096;

/** The IP headers of each host's SYN+ACKs. */
export class HostFingerprints {
  readonly #hosts = new Map<string | number, Fingerprint>();

  /** Notes how an end's SYN+ACK has arrived. */
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

  /** How they arrive from this host, if any were seen. */
  of({ address }: End): Fingerprint | undefined {
    return this.#hosts.get(addressKey(address));
  }
}

/** What a segment's IP header tells of who made it. */
export function fingerprintOf({ hopLimit, flowLabel }: Segment): Fingerprint {
  return { hopLimit, hasFlowLabel: flowLabel !== 0 };
}

function matches(known: Fingerprint, { hopLimit, flowLabel }: Segment): boolean {
  return known.hopLimit === hopLimit && known.hasFlowLabel === (flowLabel !== 0);
}

/** IPv4 is mapped into IPv6. */
function addressKey(address: readonly number[]): string | number {
  const isVersion4 = address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
  return isVersion4 ? address[3] ?? 0 : address.join();
}
