/**
 * Connections to upstreams on this machine, so that one which comes back in is known for our own: a forwarder that
 * reaches itself, by whatever way, would take all descriptors for one client.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatAddress, isLoopback, isUnix } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";

/** Our ends of all connections to upstreams on this machine, in this thread. */
const ours = new Set<string>();

/** How long after a circle was found clients are looked at twice, in milliseconds. */
const WARY = 1_000;

/** When that is over, on the clock of `performance.now()`. */
let waryUntil = 0;

/**
 * Makes sure that a client is none of our own connections, before it is dialled for. Whoever dials is told of it after
 * whoever accepts, who would have dialled on meanwhile: where that happened lately, it is given the time to be told.
 *
 * @throws {Error} which says that it is one
 */
export async function refuseOwnEnd(client: Connection): Promise<void> {
  if (performance.now() < waryUntil) await delay(0);
  refuse(client);
}

/**
 * The same once more, after it was dialled for.
 *
 * @throws {Error} which says that it is one
 */
export function refuseOwnEndLate(client: Connection): void {
  try {
    refuse(client);
  } catch (error) {
    waryUntil = performance.now() + WARY;
    throw error;
  }
}

function refuse({ peer }: Connection): void {
  if (!ours.has(formatAddress(peer))) return;
  throw new Error("forwarding loop: the upstream leads back to this server");
}

/** Notes a connection to an upstream until disposed. One that leads to another machine does not come back from here. */
export function noteOwnEnd({ local, peer }: Connection): Disposable | undefined {
  if (isUnix(local) || isUnix(peer)) return undefined;
  if (local.hostname !== peer.hostname && !isLoopback(peer.hostname)) return undefined;
  const end = formatAddress(local);
  ours.add(end);
  return { [Symbol.dispose]: () => void ours.delete(end) };
}
