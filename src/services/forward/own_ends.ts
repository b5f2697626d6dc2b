/**
 * Detects forwarding loops: records the connections to upstreams on this machine by both ends, so that one which is
 * accepted here is recognized. A loop would use up all descriptors for one client.
 *
 * One end is not enough: the kernel uses an ephemeral port for several destinations at once.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { type Address, formatAddress, isLoopback, isUnix } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";

/** All connections to upstreams on this machine, in this thread, as the upstream sees their ends. */
const outboundEnds = new Set<string>();

/** How long clients are checked after a delay once a loop was found, in milliseconds. */
const RECHECK_TIME = 1_000;

/** When that ends, on the clock of `performance.now()`. */
let recheckUntil = 0;

/**
 * Rejects a client that is one of this thread's own connections, before dialling. Accept may return
 * before the connect that caused it resolves. If a loop was found lately, it waits a turn of the
 * event loop for that.
 * @throws {Error} if it is one of them
 */
export async function refuseOwnEnd(client: Connection): Promise<void> {
  if (performance.now() < recheckUntil) await delay(0);
  refuse(client);
}

/**
 * The same check, after dialling.
 * @throws {Error} if it is one of them
 */
export function refuseOwnEndLate(client: Connection): void {
  try {
    refuse(client);
  } catch (error) {
    recheckUntil = performance.now() + RECHECK_TIME;
    throw error;
  }
}

function refuse({ peer, local }: Connection): void {
  if (!outboundEnds.has(endsOf(peer, local))) return;
  throw new Error("forwarding loop: the upstream leads back to this server");
}

/**
 * Records a connection to an upstream until disposed. Connections to other machines cannot be
 * accepted here; those to this one come from the address that they are to, unless `hasSource`.
 */
export function noteOwnEnd(
  { local, peer }: Connection,
  { hasSource }: { hasSource: boolean },
): Disposable | undefined {
  if (isUnix(local) || isUnix(peer)) return undefined;
  const isElsewhere = local.hostname !== peer.hostname && !isLoopback(peer.hostname);
  if (isElsewhere && !hasSource) return undefined;
  const ends = endsOf(local, peer);
  outboundEnds.add(ends);
  return { [Symbol.dispose]: () => void outboundEnds.delete(ends) };
}

function endsOf(client: Address, server: Address): string {
  return `${formatAddress(client)} ${formatAddress(server)}`;
}
