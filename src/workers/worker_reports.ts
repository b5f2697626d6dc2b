/**
 * The reports of workers: open rooms, bus traffic, resolver counts.
 *
 * @module
 */
import type { Rooms } from "../chat/rooms.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { ResolverCounts } from "../transport/resolver.ts";
import type { BusRelay } from "./bus_relay.ts";
import { BusTotals } from "./bus_totals.ts";
import type { WorkerMessage } from "./messages.ts";
import { ResolverTotals } from "./resolver_totals.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import { WorkerRooms } from "./worker_rooms.ts";

/** The reports of all workers, including those that have ended. */
export class WorkerReports {
  /** The bus relay, if there is a bus. */
  bus: BusRelay | undefined;
  readonly #buses = new BusTotals();
  readonly #names = new ResolverTotals();
  readonly #rooms: WorkerRooms;
  readonly #own: Rooms;

  /** No reports; the rooms of workers are kept open in `rooms`. */
  constructor(rooms: Rooms) {
    this.#own = rooms;
    this.#rooms = new WorkerRooms(rooms);
  }

  /** Handles a report; other messages are ignored. */
  receive(message: WorkerMessage, worker: WorkerHandle): void {
    switch (message.type) {
      case "room":
        if (message.isOpen) this.#rooms.open(worker, message.room);
        else this.#rooms.close(worker, message.room);
        break;
      case "buses":
        this.#buses.note(worker, message.buses);
        break;
      case "bus":
        this.bus?.receive(worker, message.call);
        break;
      case "names":
        this.#names.note(worker, message.counts);
    }
  }

  /** Removes a worker that has ended. */
  remove(worker: WorkerHandle): void {
    this.bus?.detach(worker);
    this.#buses.remove(worker);
    this.#names.remove(worker);
    this.#rooms.remove(worker);
  }

  /** The status of the chat rooms and buses; what workers report is up to a second old. */
  roomsStatus(): RoomsStatus {
    const { rooms, buses } = this.#own.status();
    return { rooms, buses: this.#buses.sum(buses, this.bus) };
  }

  /** The resolver counts of the supervisor and all workers. */
  resolverCounts(own: ResolverCounts): ResolverCounts {
    return this.#names.sum(own);
  }
}
