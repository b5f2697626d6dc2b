/**
 * The chat rooms of one server.
 *
 * @module
 */
import { Room } from "./room.ts";

/** Rooms by name: whoever asks for the same name comes into the same room. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #visitors: ((room: Room) => void)[] = [];

  /** The room of this name; it is there from the first time somebody asks for it. */
  open(name: string): Room {
    const known = this.#rooms.get(name);
    if (known) return known;
    const room = new Room(name);
    this.#rooms.set(name, room);
    for (const visit of this.#visitors) visit(room);
    return room;
  }

  /** Visits every room that is there, and later every room that is opened. */
  visitAll(visit: (room: Room) => void): void {
    this.#visitors.push(visit);
    for (const room of this.#rooms.values()) visit(room);
  }
}
