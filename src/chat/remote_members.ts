/**
 * The part of a room that is in other workers or on other servers.
 *
 * @module
 */
import type { Consumer } from "./backpressure.ts";
import type { RoomEvent } from "./message.ts";

/** The part of a room that is in other workers or on other servers. */
export interface RemoteMembers extends Consumer {
  /** Publishes an event of this server; never blocks. */
  post(event: RoomEvent): void;
  /** The members on other nodes. */
  everyone(): Iterable<Presence>;
  /** Member counts by server; `undefined` is the key of this server's other workers. */
  sizes(): ReadonlyMap<string | undefined, number>;
  /** Whether a member on another node has the name with this key. */
  isTaken(key: string): boolean;
}

/** A member of a room on any server. */
export interface Presence {
  /** The member's name. */
  readonly name: string;
  /** The server's name; `undefined` for this one. */
  readonly server: string | undefined;
}
