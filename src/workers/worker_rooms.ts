/**
 * Keeps chat rooms open in the supervisor for as long as a worker has them open.
 *
 * @module
 */
import type { Rooms } from "../chat/rooms.ts";
import type { WorkerRoom } from "./messages.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** The open rooms of each worker. */
export class WorkerRooms {
  readonly #rooms: Rooms;
  /** Ends the use of a room, by worker and room. */
  readonly #uses = new Map<WorkerHandle, Map<string, AbortController>>();

  /** Keeps rooms open in `rooms`. */
  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  /** Opens a room for a worker. */
  open(worker: WorkerHandle, { name, isPublic }: WorkerRoom): void {
    const uses = this.#uses.get(worker) ?? new Map<string, AbortController>();
    this.#uses.set(worker, uses);
    const use = new AbortController();
    uses.set(keyOf({ name, isPublic }), use);
    if (isPublic) this.#rooms.open(name, { signal: use.signal });
    else this.#rooms.openPrivate(name, { signal: use.signal });
  }

  /** Closes a room for a worker. */
  close(worker: WorkerHandle, room: WorkerRoom): void {
    const uses = this.#uses.get(worker);
    uses?.get(keyOf(room))?.abort();
    uses?.delete(keyOf(room));
  }

  /** Closes all rooms of a worker that has ended. */
  remove(worker: WorkerHandle): void {
    for (const use of this.#uses.get(worker)?.values() ?? []) use.abort();
    this.#uses.delete(worker);
  }
}

function keyOf({ name, isPublic }: WorkerRoom): string {
  return `${isPublic ? "public" : "private"} ${name}`;
}
