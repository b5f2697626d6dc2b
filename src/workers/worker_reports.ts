/**
 * What workers report of themselves, and what becomes of it: rooms that are open, traffic of buses, names looked up.
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

/** Reports of all workers, those included that are gone. */
export class WorkerReports {
  /** The bus that they are joined to, where there is one. */
  bus: BusRelay | undefined;
  readonly #buses = new BusTotals();
  readonly #names = new ResolverTotals();
  readonly #rooms: WorkerRooms;
  readonly #own: Rooms;

  /** No reports yet; rooms are kept open among these. */
  constructor(rooms: Rooms) {
    this.#own = rooms;
    this.#rooms = new WorkerRooms(rooms);
  }

  /** Takes in a report; other messages are left alone. */
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

  /** Takes note that a worker is no more. */
  gone(worker: WorkerHandle): void {
    this.bus?.gone(worker);
    this.#buses.gone(worker);
    this.#names.gone(worker);
    this.#rooms.gone(worker);
  }

  /** What the chat rooms and the buses are like right now, as far as workers have told: a second ago at most. */
  roomsStatus(): RoomsStatus {
    const { rooms, buses } = this.#own.status();
    return { rooms, buses: this.#buses.sum(buses, this.bus) };
  }

  /** How the supervisor itself and all workers look names up. */
  resolverCounts(own: ResolverCounts): ResolverCounts {
    return this.#names.sum(own);
  }
}
