/**
 * The chat rooms of one server.
 *
 * @module
 */
import type { Bus } from "./bus.ts";
import type { Traffic } from "./link.ts";
import { Room } from "./room.ts";
import type { BusStatus, PlugOptions, Trunk } from "./trunk.ts";

/** What a room is like right now. */
export interface RoomStatus {
  /** What it is called. */
  readonly name: string;
  /** Whether rooms of this name on other servers are the same room, where there is a bus. */
  readonly isPublic: boolean;
  /** Who is in it, on this server. */
  readonly here: readonly string[];
  /** How many are in it on other servers. */
  readonly elsewhere: number;
}

/** What the rooms are like right now: plain data. */
export interface RoomsStatus {
  /** Every room. */
  readonly rooms: readonly RoomStatus[];
  /** Every bus. */
  readonly buses: readonly BusStatus[];
  /** What went over the buses so far. */
  readonly traffic: Readonly<Traffic>;
}

/** What is asked of a room. */
export interface RoomOptions {
  /** How many lines it remembers for newcomers, at least. */
  readonly history?: number;
}

/** Rooms by name. Disposing them leaves the buses, if there are any. */
export class Rooms implements AsyncDisposable {
  readonly #public = new Map<string, Room>();
  readonly #private = new Map<string, Room>();
  readonly #visitors: ((room: Room) => void)[] = [];
  #trunk: Trunk | undefined;

  /** The room of this name: whoever asks for it, on whichever server of the bus, comes into the same room. */
  open(name: string, options: RoomOptions = {}): Room {
    return this.#open(name, { ...options, among: this.#public });
  }

  /** The room of the outlet at this address. Another machine may have the same address: it is another room there. */
  openPrivate(address: string, options: RoomOptions = {}): Room {
    return this.#open(address, { ...options, among: this.#private });
  }

  /** Whether the room of this name was given it on purpose. */
  isPublic(name: string): boolean {
    return this.#public.has(name);
  }

  /** Visits every room that is there, and later every room that is opened. */
  visitAll(visit: (room: Room) => void): void {
    this.#visitors.push(visit);
    for (const room of this.#all()) visit(room);
  }

  /**
   * Joins rooms to their namesakes on a bus. `all` of them belong on a bus that ends in this server, between
   * its workers; on any other, only those that were given a name on purpose.
   */
  async extend(
    bus: Bus,
    { all = false, ...options }: Omit<PlugOptions, "topicOf"> & { all?: boolean } = {},
  ): Promise<void> {
    const { Trunk } = await import("./trunk.ts");
    if (!this.#trunk) {
      const trunk = this.#trunk = new Trunk();
      this.visitAll((room) => trunk.join(room));
    }
    const topicOf = (room: Room) => {
      if (this.#public.get(room.name) === room) return ["room", room.name];
      return all ? ["outlet", room.name] : undefined;
    };
    this.#trunk.plug(bus, { ...options, topicOf });
  }

  /** What the rooms are like right now. */
  status(): RoomsStatus {
    return {
      rooms: [...this.#all()].map((room) => ({
        name: room.name,
        isPublic: this.#public.get(room.name) === room,
        here: Array.from(room.members(), ({ name }) => name),
        elsewhere: this.#trunk?.elsewhere(room) ?? 0,
      })),
      buses: this.#trunk?.buses ?? [],
      traffic: this.#trunk?.traffic ?? { in: 0, out: 0, ignored: 0, lost: 0, dropped: 0 },
    };
  }

  /** Leaves the buses. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#trunk?.[Symbol.asyncDispose]();
  }

  *#all(): Generator<Room> {
    yield* this.#private.values();
    yield* this.#public.values();
  }

  #open(name: string, { history = 0, among }: RoomOptions & { among: Map<string, Room> }): Room {
    const known = among.get(name);
    const room = known ?? new Room(name);
    room.history.keep(history);
    if (!known) {
      among.set(name, room);
      for (const visit of this.#visitors) visit(room);
    }
    return room;
  }
}
