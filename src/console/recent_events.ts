/**
 * The last events, numbered, so that a reconnecting reader can ask for those it missed.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { jsonLine } from "../telemetry/json_line.ts";

const tasks = new TaskScope("an event stream of the console", { consequence: "the others go on" });

/** The number of events that are kept. */
const MAX_EVENTS = 2_000;

/** A recorded event. */
export interface Entry {
  /** Its number, counted from 1 when the console starts. */
  readonly number: number;
  /** When it was published, in milliseconds since 1970. */
  readonly at: number;
  /** The event. */
  readonly event: OutletEvent;
}

/** Records the last events of an event bus until it is disposed. */
export class RecentEvents implements Disposable {
  /** A ring buffer: the newest event replaces the oldest. */
  readonly #ring: Entry[] = [];
  readonly #listeners = new Set<(entry: Entry) => void>();
  readonly #subscription: Disposable;
  #last = 0;

  /** Records events from now on. */
  constructor(eventBus: EventBus) {
    this.#subscription = eventBus.subscribe((event) => this.#keep(event));
  }

  /** The events after this number, and how many of them are no longer kept. */
  since(number: number): { readonly entries: readonly Entry[]; readonly missed: number } {
    const first = this.#first;
    const entries = [...this.#from(Math.max(first, number + 1))];
    return { entries, missed: Math.max(0, first - number - 1) };
  }

  /** The recorded events of one connection. */
  about(connection: number): readonly Entry[] {
    return [...this.#from(this.#first)].filter(({ event }) =>
      "connection" in event && event.connection === connection
    );
  }

  /** Calls the listener for every event from now on, until disposed. */
  subscribe(listener: (entry: Entry) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Stops recording. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  get #first(): number {
    return this.#last - this.#ring.length + 1;
  }

  *#from(number: number): Generator<Entry> {
    for (; number <= this.#last; number++) yield this.#ring[(number - 1) % MAX_EVENTS]!;
  }

  #keep(event: OutletEvent): void {
    const entry = { number: ++this.#last, at: Date.now(), event };
    this.#ring[(entry.number - 1) % MAX_EVENTS] = entry;
    for (const listener of this.#listeners) tasks.run(() => listener(entry));
  }
}

/** An event in the JSON form of the log. */
export function entryJson({ event, at }: Entry): string {
  return jsonLine(event, new Date(at));
}
