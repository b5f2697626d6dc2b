/**
 * The bus traffic of all workers.
 *
 * @module
 */
import type { BusRelay } from "./bus_relay.ts";
import { addTraffic, type BusStatus, noTraffic, type Traffic } from "../chat/status.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** Sums up the bus reports of workers. */
export class BusTotals {
  readonly #latest = new Map<WorkerHandle, readonly BusStatus[]>();
  /** The traffic of workers that have ended, by bus. */
  readonly #ended = new Map<string, Traffic>();

  /** Stores a worker's latest report. */
  note(worker: WorkerHandle, buses: readonly BusStatus[]): void {
    this.#latest.set(worker, buses);
  }

  /** Removes a worker that has ended; its traffic stays counted. */
  remove(worker: WorkerHandle): void {
    for (const { name, traffic } of this.#latest.get(worker) ?? []) {
      this.#ended.set(name, addTraffic(this.#ended.get(name) ?? noTraffic(), traffic));
    }
    this.#latest.delete(worker);
  }

  /** The supervisor's buses, including the traffic and queues of workers and the relay's drops. */
  sum(own: readonly BusStatus[], relay?: Pick<BusRelay, "name" | "dropped">): BusStatus[] {
    const latest = [...this.#latest.values()].flat();
    return own.map((bus) => {
      const dropped = relay?.name === bus.name ? relay.dropped : 0;
      const same = latest.filter(({ name }) => name === bus.name);
      return {
        ...bus,
        queued: same.reduce((sum, { queued }) => sum + queued, bus.queued),
        traffic: [...same.map(({ traffic }) => traffic), this.#ended.get(bus.name) ?? noTraffic()]
          .reduce(addTraffic, { ...bus.traffic, dropped: bus.traffic.dropped + dropped }),
      };
    });
  }
}
