/**
 * What chat rooms and the buses between them are like right now: plain data, for whoever looks.
 *
 * @module
 */

/** What went over a bus, in messages. */
export interface Traffic {
  /** Messages that came. */
  in: number;
  /** Messages that went. */
  out: number;
  /** Messages that came and were none of ours: garbage, too long, foreign. */
  ignored: number;
  /** What happened elsewhere and never came here. */
  lost: number;
  /** What did not fit in a queue here: while the bus was down, or on the way between it and a worker. */
  dropped: number;
}

/** A bus, and how it is. */
export interface BusStatus {
  /** What people call it: `nats://127.0.0.1:4222`. */
  readonly name: string;
  /** Whether messages get through: not yet, now, or not any more; it is tried again for ever. */
  readonly state: "connecting" | "up" | "down";
  /** Where it is connected, or why it is not. */
  readonly detail: string;
  /** What it does not let this server do, where there is something. */
  readonly denied: string | undefined;
  /** How often it came back. */
  readonly reconnects: number;
  /** Bytes that wait here because it does not take them, up to 1 MiB for each room. */
  readonly queued: number;
  /** What went over it so far. */
  readonly traffic: Readonly<Traffic>;
}

/** A room. */
export interface RoomStatus {
  /** Its number: the same for as long as the server runs, and no other's. */
  readonly number: number;
  /** What it is called. */
  readonly name: string;
  /** Whether rooms of this name on other servers are the same room, where there is a bus. */
  readonly isPublic: boolean;
  /** How many are in it on this server. */
  readonly here: number;
  /** How many are in it on others. */
  readonly elsewhere: readonly ServerShare[];
}

/** How many of a room's members are on another server. */
export interface ServerShare {
  /** What it calls itself. */
  readonly server: string;
  /** How many. */
  readonly members: number;
}

/** What the rooms of a server are like. */
export interface RoomsStatus {
  /** Every room. */
  readonly rooms: readonly RoomStatus[];
  /** Every bus. */
  readonly buses: readonly BusStatus[];
}

/** Nothing has been carried yet. */
export function noTraffic(): Traffic {
  return { in: 0, out: 0, ignored: 0, lost: 0, dropped: 0 };
}

/** What two have carried. */
export function addTraffic(one: Readonly<Traffic>, other: Readonly<Traffic>): Traffic {
  return {
    in: one.in + other.in,
    out: one.out + other.out,
    ignored: one.ignored + other.ignored,
    lost: one.lost + other.lost,
    dropped: one.dropped + other.dropped,
  };
}
