/**
 * The chat rooms that workers have open, kept open in the supervisor for as long as one of them has them.
 *
 * @module
 */
import type { Rooms } from "../chat/rooms.ts";
import type { WorkerRoom } from "./messages.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Which worker has which rooms open. */
export class WorkerRooms {
  readonly #rooms: Rooms;
  /** What ends the use of each room, by worker and room. */
  readonly #uses = new Map<WorkerHandle, Map<string, AbortController>>();

  /** Keeps rooms open among these. */
  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  /** Notes that a worker has opened a room. */
  open(worker: WorkerHandle, { name, isPublic }: WorkerRoom): void {
    const uses = this.#uses.get(worker) ?? new Map<string, AbortController>();
    this.#uses.set(worker, uses);
    const use = new AbortController();
    uses.set(keyOf({ name, isPublic }), use);
    if (isPublic) this.#rooms.open(name, { signal: use.signal });
    else this.#rooms.openPrivate(name, { signal: use.signal });
  }

  /** Notes that a worker has closed a room. */
  close(worker: WorkerHandle, room: WorkerRoom): void {
    const uses = this.#uses.get(worker);
    uses?.get(keyOf(room))?.abort();
    uses?.delete(keyOf(room));
  }

  /** Notes that a worker is gone, with all its rooms. */
  gone(worker: WorkerHandle): void {
    for (const use of this.#uses.get(worker)?.values() ?? []) use.abort();
    this.#uses.delete(worker);
  }
}

function keyOf({ name, isPublic }: WorkerRoom): string {
  return `${isPublic ? "public" : "private"} ${name}`;
}
