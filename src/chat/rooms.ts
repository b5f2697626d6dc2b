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

const tasks = new TaskScope("closing a chat room", { consequence: "the room stays listed" });

/** Options for opening a room. */
export interface RoomOptions {
  /** The least number of lines in its history. */
  readonly history?: number;
  /** Aborted when the room is no longer needed; without it, the room stays open. */
  readonly signal?: AbortSignal;
}

/** Called with a room; the result is disposed when the room is closed. */
export type RoomVisitor = (room: Room) => Disposable | undefined | void;

/** An open room. */
interface OpenRoom {
  readonly number: number;
  readonly room: Room;
  readonly isPublic: boolean;
  /** How often it was opened and not released. */
  users: number;
  /** The results of its visitors. */
  readonly visitors: Map<RoomVisitor, Disposable>;
}

/**
 * Rooms by name. Each is open until it is released and its last guest has left. Disposing them
 * leaves the buses.
 */
export class Rooms implements AsyncDisposable {
  readonly #public = new Map<string, OpenRoom>();
  readonly #private = new Map<string, OpenRoom>();
  readonly #byNumber = new Map<number, OpenRoom>();
  readonly #visitors = new Set<RoomVisitor>();
  #lastNumber = 0;
  #buses: BusManager | undefined;

  /** Opens the room of this name, which is the same room on all servers of a bus. */
  open(name: string, options: RoomOptions = {}): Room {
    return this.#open(name, { ...options, isPublic: true });
  }

  /** Opens the room of the outlet at this address, which is not shared with other servers. */
  openPrivate(address: string, options: RoomOptions = {}): Room {
    return this.#open(address, { ...options, isPublic: false });
  }

  /** Visits all open rooms now, and others when they are opened, until the result is disposed. */
  visitAll(visitor: RoomVisitor): Disposable {
    this.#visitors.add(visitor);
    for (const open of this.#byNumber.values()) this.#visit(open, visitor);
    return {
      [Symbol.dispose]: () => {
        this.#visitors.delete(visitor);
        for (const { visitors } of this.#byNumber.values()) {
          visitors.get(visitor)?.[Symbol.dispose]();
          visitors.delete(visitor);
        }
      },
    };
  }

  /** Whether there is a public room of this name. */
  isPublic(name: string): boolean {
    return this.#public.has(name);
  }

  /** The room with this number. */
  numbered(number: number): Room | undefined {
    return this.#byNumber.get(number)?.room;
  }

  /** Attaches a bus. A local one carries all rooms, any other only public ones. */
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

  /** The status of the rooms and buses. */
  status(): RoomsStatus {
    return {
      rooms: Array.from(this.#byNumber.values(), statusOf),
      buses: this.#buses?.buses ?? [],
    };
  }

  /** Sends pending lines, and leaves the buses. */
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
      visitors: new Map(),
    };
    (isPublic ? this.#public : this.#private).set(name, open);
    this.#byNumber.set(open.number, open);
    // Set before the visitors attach buses, which recall the history only if there is one.
    open.room.history.keep(history);
    for (const visitor of this.#visitors) this.#visit(open, visitor);
    return open;
  }

  #visit(open: OpenRoom, visitor: RoomVisitor): void {
    const visit = visitor(open.room);
    if (visit) open.visitors.set(visitor, visit);
  }

  /** Closes a room without users and guests. */
  #closeUnused(open: OpenRoom): void {
    if (open.users > 0 || open.room.hasGuests || !this.#byNumber.delete(open.number)) return;
    (open.isPublic ? this.#public : this.#private).delete(open.room.name);
    for (const visit of open.visitors.values()) visit[Symbol.dispose]();
    open.visitors.clear();
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
