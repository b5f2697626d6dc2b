/**
 * The chat rooms of one server.
 *
 * @module
 */
import type { Bus } from "./bus/bus.ts";
import { Room } from "./room.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { RoomsStatus, RoomStatus } from "./status.ts";
import type { BusAttachmentOptions, BusManager } from "./bus_manager.ts";

const tasks = new TaskScope("closing a chat room", { without: "the room stays listed" });

/** What is asked of a room. */
export interface RoomOptions {
  /** How many lines it remembers for newcomers, at least. */
  readonly history?: number;
  /** Aborted when whoever asked needs it no longer; without it, the room stays as long as the server. */
  readonly signal?: AbortSignal;
}

/** Is told of a room; what it returns is disposed when the room is gone. */
export type RoomVisitor = (room: Room) => Disposable | undefined | void;

/** A room that is there, and what keeps it there. */
interface OpenRoom {
  readonly number: number;
  readonly room: Room;
  readonly isPublic: boolean;
  /** How many have opened it and still need it. */
  users: number;
  /** What its visitors left there. */
  readonly visits: Map<RoomVisitor, Disposable>;
}

/** Rooms by name: each is there until nobody needs it and its last guest has left. Disposing them leaves the buses. */
export class Rooms implements AsyncDisposable {
  readonly #public = new Map<string, OpenRoom>();
  readonly #private = new Map<string, OpenRoom>();
  readonly #byNumber = new Map<number, OpenRoom>();
  readonly #visitors = new Set<RoomVisitor>();
  #lastNumber = 0;
  #buses: BusManager | undefined;

  /** The room of this name: whoever asks for it, on whichever server of the bus, comes into the same room. */
  open(name: string, options: RoomOptions = {}): Room {
    return this.#open(name, { ...options, isPublic: true });
  }

  /** The room of the outlet at this address. Another machine may have the same address: it is another room there. */
  openPrivate(address: string, options: RoomOptions = {}): Room {
    return this.#open(address, { ...options, isPublic: false });
  }

  /** Visits every room that is there, and every room that is opened, until the visitor is disposed. */
  visitAll(visitor: RoomVisitor): Disposable {
    this.#visitors.add(visitor);
    for (const open of this.#byNumber.values()) this.#visit(open, visitor);
    return {
      [Symbol.dispose]: () => {
        this.#visitors.delete(visitor);
        for (const { visits } of this.#byNumber.values()) {
          visits.get(visitor)?.[Symbol.dispose]();
          visits.delete(visitor);
        }
      },
    };
  }

  /** Whether the room of this name was given it on purpose. */
  isPublic(name: string): boolean {
    return this.#public.has(name);
  }

  /** The room of this number. */
  numbered(number: number): Room | undefined {
    return this.#byNumber.get(number)?.room;
  }

  /**
   * Joins rooms to their namesakes on a bus. All of them belong on a bus that ends in this server, between its
   * workers; on any other, only those that were given a name on purpose.
   */
  async attachBus(bus: Bus, watcher: Omit<BusAttachmentOptions, "topicOf"> = {}): Promise<void> {
    const { BusManager } = await import("./bus_manager.ts");
    if (!this.#buses) {
      const buses = this.#buses = new BusManager();
      this.visitAll((room) => buses.join(room));
    }
    const topicOf = (room: Room) => {
      if (this.#public.get(room.name)?.room === room) return ["room", room.name];
      return bus.isLocal ? ["outlet", room.name] : undefined;
    };
    this.#buses.attach(bus, { ...watcher, topicOf });
  }

  /** What the rooms are like right now. */
  status(): RoomsStatus {
    return {
      rooms: Array.from(this.#byNumber.values(), statusOf),
      buses: this.#buses?.buses ?? [],
    };
  }

  /** Tells what has still to be told, and leaves the buses. */
  async [Symbol.asyncDispose](): Promise<void> {
    const rooms = Array.from(this.#byNumber.values(), ({ room }) => room);
    await Promise.all(rooms.map((room) => room.flush()));
    await this.#buses?.[Symbol.asyncDispose]();
  }

  #open(
    name: string,
    { history = 0, signal, isPublic }: RoomOptions & { isPublic: boolean },
  ): Room {
    const open = (isPublic ? this.#public : this.#private).get(name) ??
      this.#create(name, { history, isPublic });
    open.room.history.keep(history);
    open.users++;
    const release = tasks.guard(() => {
      open.users--;
      this.#closeUnused(open);
    });
    signal?.addEventListener("abort", release, { once: true });
    return open.room;
  }

  #create(
    name: string,
    { history, isPublic }: { history: number; isPublic: boolean },
  ): OpenRoom {
    const open: OpenRoom = {
      number: ++this.#lastNumber,
      room: new Room(name, { onEmpty: () => this.#closeUnused(open) }),
      isPublic,
      users: 0,
      visits: new Map(),
    };
    (isPublic ? this.#public : this.#private).set(name, open);
    this.#byNumber.set(open.number, open);
    // A bus that is there already is asked for what was said at once, if the room is to remember any of it.
    open.room.history.keep(history);
    for (const visitor of this.#visitors) this.#visit(open, visitor);
    return open;
  }

  #visit(open: OpenRoom, visitor: RoomVisitor): void {
    const visit = visitor(open.room);
    if (visit) open.visits.set(visitor, visit);
  }

  /** Forgets a room that no outlet needs and in which there are no guests. */
  #closeUnused(open: OpenRoom): void {
    if (open.users > 0 || open.room.hasGuests || !this.#byNumber.delete(open.number)) return;
    (open.isPublic ? this.#public : this.#private).delete(open.room.name);
    for (const visit of open.visits.values()) visit[Symbol.dispose]();
    open.visits.clear();
  }
}

function statusOf({ number, room, isPublic }: OpenRoom): RoomStatus {
  const sizes = room.sizes();
  return {
    number,
    name: room.name,
    isPublic,
    here: sizes.get(undefined) ?? 0,
    elsewhere: [...sizes].flatMap(([server, members]) =>
      server === undefined ? [] : [{ server, members }]
    ),
  };
}
