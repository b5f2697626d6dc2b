/**
 * The chat rooms of one server.
 *
 * @module
 */
import type { Bus } from "./bus/bus.ts";
import { Room } from "./room.ts";
import type { RoomsStatus, RoomStatus } from "./status.ts";
import type { BusAttachmentOptions, BusManager } from "./bus_manager.ts";

/** What is asked of a room. */
export interface RoomOptions {
  /** How many lines it remembers for newcomers, at least. */
  readonly history?: number;
}

/** Rooms by name. Disposing them leaves the buses, if there are any. */
export class Rooms implements AsyncDisposable {
  readonly #public = new Map<string, Room>();
  readonly #private = new Map<string, Room>();
  /** All of them; a room's number is its place here, from 1. */
  readonly #opened: Room[] = [];
  readonly #visitors: ((room: Room) => void)[] = [];
  #trunk: BusManager | undefined;

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
    for (const room of this.#opened) visit(room);
  }

  /** The room of this number. */
  numbered(number: number): Room | undefined {
    return this.#opened[number - 1];
  }

  /**
   * Joins rooms to their namesakes on a bus. All of them belong on a bus that ends in this server, between its
   * workers; on any other, only those that were given a name on purpose.
   */
  async attachBus(bus: Bus, watcher: Omit<BusAttachmentOptions, "topicOf"> = {}): Promise<void> {
    const { BusManager } = await import("./bus_manager.ts");
    if (!this.#trunk) {
      const trunk = this.#trunk = new BusManager();
      this.visitAll((room) => trunk.join(room));
    }
    const topicOf = (room: Room) => {
      if (this.#public.get(room.name) === room) return ["room", room.name];
      return bus.isLocal ? ["outlet", room.name] : undefined;
    };
    this.#trunk.plug(bus, { ...watcher, topicOf });
  }

  /** What the rooms are like right now. */
  status(): RoomsStatus {
    return {
      rooms: this.#opened.map((room, i) => this.#statusOf(room, i + 1)),
      buses: this.#trunk?.buses ?? [],
    };
  }

  /** Tells what has still to be told, and leaves the buses. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((room) => room.waitForSlowConsumers()));
    await this.#trunk?.[Symbol.asyncDispose]();
  }

  #statusOf(room: Room, number: number): RoomStatus {
    const { name } = room;
    const sizes = room.sizes();
    return {
      number,
      name,
      isPublic: this.#public.get(name) === room,
      here: sizes.get(undefined) ?? 0,
      elsewhere: [...sizes].flatMap(([server, members]) =>
        server === undefined ? [] : [{ server, members }]
      ),
    };
  }

  #open(name: string, { history = 0, among }: RoomOptions & { among: Map<string, Room> }): Room {
    const known = among.get(name);
    const room = known ?? new Room(name);
    room.history.keep(history);
    if (!known) {
      among.set(name, room);
      this.#opened.push(room);
      for (const visit of this.#visitors) visit(room);
    }
    return room;
  }
}
