/**
 * All other servers that have the same room.
 *
 * @module
 */
import { RemoteServer } from "./remote_server.ts";
import type { Presence } from "./room.ts";

/** The most servers that are believed to be in a room. */
const LIMIT = 1_000;

/** The other servers in a room, by their origin. */
export class RemoteServers {
  readonly #peers = new Map<string, RemoteServer>();

  /** How many members they have, by what they call themselves; workers of this server call themselves nothing. */
  sizes(): Map<string | undefined, number> {
    const sizes = new Map<string | undefined, number>();
    for (const { isLocal: isWorker, server, members } of this.#peers.values()) {
      const key = isWorker ? undefined : server;
      if (members.size > 0) sizes.set(key, (sizes.get(key) ?? 0) + members.size);
    }
    return sizes;
  }

  /** Those members, and where they are; those in workers of this server first. */
  *everyone(): Generator<Presence> {
    const peers = [...this.#peers.values()];
    for (const { isLocal: isWorker, server, members } of peers.toSorted(workersFirst)) {
      for (const [name] of members.values()) yield { name, server: isWorker ? undefined : server };
    }
  }

  /** Whether one of them has the name with this key. */
  has(key: string): boolean {
    return this.#peers.values().some(({ members }) => members.has(key));
  }

  /** The server that was heard now; `undefined` where it is one too many. */
  hear(origin: string, now: number): RemoteServer | undefined {
    const peer = this.#peers.get(origin) ?? this.#welcome(origin, now);
    peer?.heard(now);
    return peer;
  }

  /** Forgets a server, which has said goodbye. */
  forget(origin: string): void {
    this.#peers.delete(origin);
  }

  /** Those who are not silent. */
  *speaking(): Generator<[origin: string, peer: RemoteServer]> {
    for (const entry of this.#peers) if (!entry[1].timedOut) yield entry;
  }

  /** What one said stays known while it is silent, as long as there is room: the way to it may be interrupted. */
  #welcome(origin: string, now: number): RemoteServer | undefined {
    if (this.#peers.size >= LIMIT) {
      const [silent] = this.#peers.entries().find(([, { timedOut: silent }]) => silent) ?? [];
      if (silent === undefined) return undefined;
      this.#peers.delete(silent);
    }
    const peer = new RemoteServer(now);
    this.#peers.set(origin, peer);
    return peer;
  }
}

function workersFirst(one: RemoteServer, other: RemoteServer): number {
  return Number(other.isLocal) - Number(one.isLocal);
}
