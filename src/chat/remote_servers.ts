/**
 * The other servers that have the same room.
 *
 * @module
 */
import { RemoteServer } from "./remote_server.ts";
import type { Presence } from "./remote_members.ts";

/** The most servers per room. */
const LIMIT = 1_000;

/** The most members per room on all other servers together. */
const MAX_MEMBERS = 200_000;

/** The other servers of a room, by node id. */
export class RemoteServers {
  readonly #servers = new Map<string, RemoteServer>();

  /** Member counts by server name; `undefined` is the key of this server's other workers. */
  sizes(): Map<string | undefined, number> {
    const sizes = new Map<string | undefined, number>();
    for (const { isLocal, server, members } of this.#servers.values()) {
      const key = isLocal ? undefined : server;
      if (members.size > 0) sizes.set(key, (sizes.get(key) ?? 0) + members.size);
    }
    return sizes;
  }

  /** All their members; those in other workers of this server first. */
  *everyone(): Generator<Presence> {
    const servers = [...this.#servers.values()];
    for (const { isLocal, server, members } of servers.toSorted(localFirst)) {
      for (const [name] of members.values()) yield { name, server: isLocal ? undefined : server };
    }
  }

  /** How many more members are accepted. */
  get memberLimit(): number {
    const size = this.#servers.values().reduce((sum, server) => sum + server.size, 0);
    return Math.max(0, MAX_MEMBERS - size);
  }

  /** Whether any of them has a member with this key. */
  has(key: string): boolean {
    return this.#servers.values().some(({ members }) => members.has(key));
  }

  /** The server that has just sent a message; `undefined` beyond the limit. */
  touch(nodeId: string, now: number): RemoteServer | undefined {
    const server = this.#servers.get(nodeId) ?? this.#add(nodeId, now);
    server?.touch(now);
    return server;
  }

  /** Removes a server that has left. */
  remove(nodeId: string): void {
    this.#servers.delete(nodeId);
  }

  /** The servers that are not timed out. */
  *live(): Generator<[nodeId: string, server: RemoteServer]> {
    for (const entry of this.#servers) if (!entry[1].timedOut) yield entry;
  }

  /** Servers that timed out are kept until the limit is reached, because they may come back. */
  #add(nodeId: string, now: number): RemoteServer | undefined {
    if (this.#servers.size >= LIMIT) {
      const [timedOut] = this.#servers.entries().find(([, { timedOut }]) => timedOut) ?? [];
      if (timedOut === undefined) return undefined;
      this.#servers.delete(timedOut);
    }
    const server = new RemoteServer(now);
    this.#servers.set(nodeId, server);
    return server;
  }
}

function localFirst(one: RemoteServer, other: RemoteServer): number {
  return Number(other.isLocal) - Number(one.isLocal);
}
