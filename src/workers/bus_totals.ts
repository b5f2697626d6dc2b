/**
 * What the workers of one server carry over their buses.
 *
 * @module
 */
import type { BusRelay } from "./bus_relay.ts";
import { addTraffic, type BusStatus, noTraffic, type Traffic } from "../chat/status.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Adds up what workers tell of their buses. */
export class BusTotals {
  readonly #told = new Map<WorkerHandle, readonly BusStatus[]>();
  /** What workers had carried that are gone, by bus. */
  readonly #gone = new Map<string, Traffic>();

  /** Notes what a worker told last. */
  note(worker: WorkerHandle, buses: readonly BusStatus[]): void {
    this.#told.set(worker, buses);
  }

  /** Notes that a worker is no more: what waited there is lost, what it carried stays counted. */
  gone(worker: WorkerHandle): void {
    for (const { name, traffic } of this.#told.get(worker) ?? []) {
      this.#gone.set(name, addTraffic(this.#gone.get(name) ?? noTraffic(), traffic));
    }
    this.#told.delete(worker);
  }

  /**
   * The buses of the supervisor itself, with what all its workers have carried and have still to send, and what was
   * let go between it and them.
   */
  sum(own: readonly BusStatus[], relay?: Pick<BusRelay, "name" | "dropped">): BusStatus[] {
    const told = [...this.#told.values()].flat();
    return own.map((bus) => {
      const dropped = relay?.name === bus.name ? relay.dropped : 0;
      const same = told.filter(({ name }) => name === bus.name);
      return {
        ...bus,
        queued: same.reduce((sum, { queued }) => sum + queued, bus.queued),
        traffic: [...same.map(({ traffic }) => traffic), this.#gone.get(bus.name) ?? noTraffic()]
          .reduce(addTraffic, { ...bus.traffic, dropped: bus.traffic.dropped + dropped }),
      };
    });
  }
}
