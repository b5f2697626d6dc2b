/**
 * Detects loops: records the connections to upstreams on this machine by both ends, so that one
 * which is accepted here is recognized. A loop would use up all descriptors for one client.
 *
 * One end is not enough: the kernel uses an ephemeral port for several destinations at once.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { type Address, formatAddress, isLoopback, isUnix } from "../endpoint/address.ts";
import type { Connection } from "../connection/connection.ts";

/** How long clients are checked after a delay once a loop was found, in milliseconds. */
const RECHECK_TIME = 1_000;

/** Connections to upstreams on this machine, in this thread, as the upstream sees their ends. */
export class OwnEnds {
  readonly #outbound = new Set<string>();
  /** When checking after a delay ends, on the clock of `performance.now()`. */
  #recheckUntil = 0;

  /**
   * Rejects a client that is one of the connections, before dialling. Accept may return before the
   * connect that caused it resolves. If a loop was found lately, it waits a turn of the event loop
   * for that.
   * @throws {Error} if it is one of them
   */
  async refuse(client: Connection): Promise<void> {
    if (performance.now() < this.#recheckUntil) await delay(0);
    this.#refuse(client);
  }

  /**
   * The same check, after dialling.
   * @throws {Error} if it is one of them
   */
  refuseLate(client: Connection): void {
    try {
      this.#refuse(client);
    } catch (error) {
      this.#recheckUntil = performance.now() + RECHECK_TIME;
      throw error;
    }
  }

  /**
   * Records a connection to an upstream until disposed. Connections to other machines cannot be
   * accepted here; those to this one come from the address that they are to, unless `hasSource`.
   */
  note(
    { local, peer }: Connection,
    { hasSource }: { hasSource: boolean },
  ): Disposable | undefined {
    if (isUnix(local) || isUnix(peer)) return undefined;
    const isElsewhere = local.hostname !== peer.hostname && !isLoopback(peer.hostname);
    if (isElsewhere && !hasSource) return undefined;
    const ends = endsOf(local, peer);
    this.#outbound.add(ends);
    return { [Symbol.dispose]: () => void this.#outbound.delete(ends) };
  }

  #refuse({ peer, local }: Connection): void {
    if (!this.#outbound.has(endsOf(peer, local))) return;
    throw new Error("forwarding loop: the upstream leads back to this server");
  }
}

function endsOf(client: Address, server: Address): string {
  return `${formatAddress(client)} ${formatAddress(server)}`;
}
