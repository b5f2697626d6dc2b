/**
 * Deduplicates `failed` events that every worker publishes for the same incident.
 *
 * @module
 */
import type { Failed } from "../events/events.ts";

/** The most incidents that are remembered; the oldest is dropped first. */
const LIMIT = 256;

/** Durations in a reason, which differ between workers. */
const DURATIONS = /\d+(\.\d+)? ?(µs|ms|s|min|h)\b/g;

/** The incidents that were reported recently. */
export class Incidents {
  /** The workers that have reported each incident since it was new. */
  readonly #reporters = new Map<string, Set<number>>();

  /**
   * Whether the event is new: no worker has reported it, or this worker reports it a second time.
   */
  isNew(event: Failed, worker: number): boolean {
    const key = `${event.id} ${event.reason.replace(DURATIONS, "")}`;
    const reporters = this.#reporters.get(key);
    if (reporters && !reporters.has(worker)) {
      reporters.add(worker);
      return false;
    }
    this.#reporters.delete(key);
    this.#reporters.set(key, new Set([worker]));
    if (this.#reporters.size > LIMIT) {
      const [oldest] = this.#reporters.keys();
      this.#reporters.delete(oldest!);
    }
    return true;
  }
}
