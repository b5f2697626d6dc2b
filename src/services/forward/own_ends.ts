/**
 * Connections to upstreams on this machine, so that one which comes back in is known for our own: a forwarder that
 * reaches itself, by whatever way, would take all descriptors for one client.
 *
 * @module
 */
import { type Address, formatAddress, isLoopback, isUnix } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";

/** Our ends of all connections to upstreams on this machine, in this thread. */
const ours = new Set<string>();

/** Notes a connection to an upstream until disposed. One that leads to another machine does not come back from here. */
export function noteOwnEnd({ local, peer }: Connection): Disposable | undefined {
  if (isUnix(local) || isUnix(peer)) return undefined;
  if (local.hostname !== peer.hostname && !isLoopback(peer.hostname)) return undefined;
  const end = formatAddress(local);
  ours.add(end);
  return { [Symbol.dispose]: () => void ours.delete(end) };
}

/**
 * Makes sure that a client is none of our own connections.
 *
 * @throws {Error} which says that it is
 */
export function refuseOwnEnd(peer: Address): void {
  if (!ours.has(formatAddress(peer))) return;
  throw new Error("it is forwarded in a circle: its upstream leads back to this server");
}
