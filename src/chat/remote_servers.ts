/**
 * All other servers that have the same room.
 *
 * @module
 */
import { RemoteServer } from "./remote_server.ts";
import type { Presence } from "./room.ts";

/** The most servers that are believed to be in a room. */
const LIMIT = 1_000;

/** The most members that all of them together are believed to have in a room. */
const MAX_MEMBERS = 200_000;

/** The other servers in a room, by their node id. */
export class RemoteServers {
  readonly #servers = new Map<string, RemoteServer>();

  /** How many members they have, by what they call themselves; workers of this server call themselves nothing. */
  sizes(): Map<string | undefined, number> {
    const sizes = new Map<string | undefined, number>();
    for (const { isLocal, server, members } of this.#servers.values()) {
      const key = isLocal ? undefined : server;
      if (members.size > 0) sizes.set(key, (sizes.get(key) ?? 0) + members.size);
    }
    return sizes;
  }

  /** Those members, and where they are; those in workers of this server first. */
  *everyone(): Generator<Presence> {
    const servers = [...this.#servers.values()];
    for (const { isLocal, server, members } of servers.toSorted(localFirst)) {
      for (const [name] of members.values()) yield { name, server: isLocal ? undefined : server };
    }
  }

  /** How many members more are believed. */
  get memberLimit(): number {
    const size = this.#servers.values().reduce((sum, server) => sum + server.size, 0);
    return Math.max(0, MAX_MEMBERS - size);
  }

  /** Whether one of them has the name with this key. */
  has(key: string): boolean {
    return this.#servers.values().some(({ members }) => members.has(key));
  }

  /** The server that was heard now; `undefined` where it is one too many. */
  hear(nodeId: string, now: number): RemoteServer | undefined {
    const server = this.#servers.get(nodeId) ?? this.#add(nodeId, now);
    server?.heard(now);
    return server;
  }

  /** Forgets a server, which has said goodbye. */
  forget(nodeId: string): void {
    this.#servers.delete(nodeId);
  }

  /** Those who are not silent. */
  *live(): Generator<[nodeId: string, server: RemoteServer]> {
    for (const entry of this.#servers) if (!entry[1].timedOut) yield entry;
  }

  /** What one said stays known while it is silent, as long as there is room: the way to it may be interrupted. */
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
