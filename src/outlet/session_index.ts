/**
 * Finds sessions by socket, port and host. Nested maps, because joining the three into a key for each
 * datagram costs more than all else that is done with it here.
 *
 * @module
 */
import type { DatagramSocket } from "../transport/datagrams.ts";

/** A client's address and the socket that it sends to. */
export interface ClientKey {
  /** The socket that receives its datagrams. */
  readonly socket: DatagramSocket;
  /** The client's address. */
  readonly from: Deno.NetAddr;
}

/** A value for each client. */
export class SessionIndex<T> {
  readonly #bySocket = new Map<DatagramSocket, Map<number, Map<string, T>>>();

  /** The value of a client. */
  find(socket: DatagramSocket, from: Deno.NetAddr): T | undefined {
    return this.#bySocket.get(socket)?.get(from.port)?.get(from.hostname);
  }

  /** Adds the value of a client. */
  add({ socket, from }: ClientKey, value: T): void {
    let byPort = this.#bySocket.get(socket);
    if (!byPort) this.#bySocket.set(socket, byPort = new Map());
    let byHost = byPort.get(from.port);
    if (!byHost) byPort.set(from.port, byHost = new Map());
    byHost.set(from.hostname, value);
  }

  /** Removes a client. */
  delete({ socket, from }: ClientKey): void {
    const byPort = this.#bySocket.get(socket);
    const byHost = byPort?.get(from.port);
    if (!byPort || !byHost) return;
    byHost.delete(from.hostname);
    if (byHost.size === 0) byPort.delete(from.port);
    if (byPort.size === 0) this.#bySocket.delete(socket);
  }

  /** All values. */
  *values(): Generator<T> {
    for (const byPort of this.#bySocket.values()) {
      for (const byHost of byPort.values()) yield* byHost.values();
    }
  }
}
