/**
 * With which time to live the answers of a host arrive: a reset that arrives with another one was
 * sent by somebody else.
 *
 * @module
 */
import type { End } from "./end.ts";

/** How many hosts are remembered; of more, who was first seen, or last changed, long ago is forgotten. */
const MOST_HOSTS = 4096;

/** The time to live of each host's SYN+ACKs. */
export class HopLimits {
  readonly #hosts = new Map<string | number, number>();

  /** Notes how an end's SYN+ACK has arrived. */
  note({ address, hopLimit }: End): void {
    const key = keyOf(address);
    if (this.#hosts.get(key) === hopLimit) return;
    this.#hosts.delete(key);
    this.#hosts.set(key, hopLimit);
    if (this.#hosts.size <= MOST_HOSTS) return;
    for (const oldest of this.#hosts.keys()) {
      this.#hosts.delete(oldest);
      return;
    }
  }

  /** How they arrive from this host, if any were seen. */
  of({ address }: End): number | undefined {
    return this.#hosts.get(keyOf(address));
  }
}

/** IPv4 is mapped into IPv6. */
function keyOf(address: readonly number[]): string | number {
  const isVersion4 = address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
  return isVersion4 ? address[3] ?? 0 : address.join();
}
