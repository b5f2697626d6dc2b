/**
 * What all workers of a server notice, each by itself, told once.
 *
 * @module
 */
import type { Failed } from "../events/events.ts";

/** Incidents that are remembered; the oldest is forgotten first. */
const KEPT = 256;

/** Times in a reason, which differ from worker to worker. */
const TIMES = /\d+(\.\d+)? ?(µs|ms|s|min|h)\b/g;

/** Tells which of the workers' words are news. */
export class Incidents {
  /** Which workers have told an incident since it was news. */
  readonly #tellers = new Map<string, Set<number>>();

  /** Whether nobody else has told it: a worker that tells it again tells of another time. */
  isNews(event: Failed, worker: number): boolean {
    const key = `${event.id} ${event.reason.replace(TIMES, "")}`;
    const tellers = this.#tellers.get(key);
    if (tellers && !tellers.has(worker)) {
      tellers.add(worker);
      return false;
    }
    this.#tellers.delete(key);
    this.#tellers.set(key, new Set([worker]));
    if (this.#tellers.size > KEPT) {
      const [oldest] = this.#tellers.keys();
      this.#tellers.delete(oldest!);
    }
    return true;
  }
}
