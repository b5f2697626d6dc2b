/**
 * What the workers of one server carry over their buses. Each of them is on every bus by itself.
 *
 * @module
 */
import { addTraffic, type BusStatus, noTraffic, type Traffic } from "../chat/status.ts";

/** Adds up what workers tell of their buses. */
export class BusTotals {
  readonly #told = new Map<number, readonly BusStatus[]>();
  /** What workers had carried that are gone, by bus. */
  readonly #gone = new Map<string, Traffic>();

  /** Notes what a worker told last. */
  note(worker: number, buses: readonly BusStatus[]): void {
    this.#told.set(worker, buses);
  }

  /** Notes that a worker died: what waited there is lost, what it carried stays counted. */
  died(worker: number): void {
    for (const { name, traffic } of this.#told.get(worker) ?? []) {
      this.#gone.set(name, addTraffic(this.#gone.get(name) ?? noTraffic(), traffic));
    }
    this.#told.delete(worker);
  }

  /** The buses of the supervisor itself, with what all its workers have carried and have still to send. */
  sum(own: readonly BusStatus[]): BusStatus[] {
    const told = [...this.#told.values()].flat();
    return own.map((bus) => {
      const same = told.filter(({ name }) => name === bus.name);
      return {
        ...bus,
        denied: bus.denied ?? same.find(({ denied }) => denied !== undefined)?.denied,
        queued: same.reduce((sum, { queued }) => sum + queued, bus.queued),
        traffic: [...same.map(({ traffic }) => traffic), this.#gone.get(bus.name) ?? noTraffic()]
          .reduce(addTraffic, bus.traffic),
      };
    });
  }
}
