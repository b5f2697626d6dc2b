/**
 * The status of chat rooms and buses, as plain data.
 *
 * @module
 */

/** Message counts of a bus. */
export interface Traffic {
  /** Messages received. */
  in: number;
  /** Messages sent. */
  out: number;
  /** Messages received that were invalid, too long or foreign. */
  ignored: number;
  /** Events of other servers that were never received. */
  lost: number;
  /** Messages dropped from a full queue: while the bus was down, or between it and a worker. */
  dropped: number;
}

/** The status of a bus. */
export interface BusStatus {
  /** The name for users: `nats://127.0.0.1:4222`. */
  readonly name: string;
  /** The state of the connection, which is retried forever. */
  readonly state: "connecting" | "up" | "down";
  /** The address of the server, or why it is not connected. */
  readonly detail: string;
  /** The last denied permission, if any. */
  readonly denied: string | undefined;
  /** How often it was reconnected. */
  readonly reconnects: number;
  /** Bytes that are queued, up to 1 MiB for each room. */
  readonly queued: number;
  /** Message counts so far. */
  readonly traffic: Readonly<Traffic>;
}

/** The status of a room. */
export interface RoomStatus {
  /** Its number, which is never reused. */
  readonly number: number;
  /** Its name. */
  readonly name: string;
  /** Whether it is shared with other servers over a bus. */
  readonly isPublic: boolean;
  /** The number of members on this server. */
  readonly here: number;
  /** The number of members on other servers. */
  readonly elsewhere: readonly ServerShare[];
}

/** The members of a room on another server. */
export interface ServerShare {
  /** The server's name. */
  readonly server: string;
  /** The number of members. */
  readonly members: number;
}

/** The status of all rooms and buses. */
export interface RoomsStatus {
  /** All rooms. */
  readonly rooms: readonly RoomStatus[];
  /** All buses. */
  readonly buses: readonly BusStatus[];
}

/** Zero counts. */
export function noTraffic(): Traffic {
  return { in: 0, out: 0, ignored: 0, lost: 0, dropped: 0 };
}

/** Adds two counts. */
export function addTraffic(one: Readonly<Traffic>, other: Readonly<Traffic>): Traffic {
  return {
    in: one.in + other.in,
    out: one.out + other.out,
    ignored: one.ignored + other.ignored,
    lost: one.lost + other.lost,
    dropped: one.dropped + other.dropped,
  };
}
