/**
 * The last events, numbered, so that whoever was away for a moment can ask for what came since.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { jsonLine } from "../telemetry/json_line.ts";

const tasks = new TaskScope("an event stream of the console", { without: "the others go on" });

/** How many are kept. */
const KEPT = 2_000;

/** An event, as it was told. */
export interface Entry {
  /** Its number, counted from 1 in the life of the console. */
  readonly number: number;
  /** When it was told, in milliseconds since 1970. */
  readonly at: number;
  /** What was told. */
  readonly event: OutletEvent;
}

/** Keeps the last events of a event bus until it is disposed. */
export class RecentEvents implements Disposable {
  /** The oldest makes room for the newest. */
  readonly #ring: Entry[] = [];
  readonly #listeners = new Set<(entry: Entry) => void>();
  readonly #subscription: Disposable;
  #last = 0;

  /** Keeps what is told from now on. */
  constructor(eventBus: EventBus) {
    this.#subscription = eventBus.subscribe((event) => this.#keep(event));
  }

  /** What came after the event of this number, and how much of that is not there any more. */
  since(number: number): { readonly entries: readonly Entry[]; readonly missed: number } {
    const first = this.#first;
    const entries = [...this.#from(Math.max(first, number + 1))];
    return { entries, missed: Math.max(0, first - number - 1) };
  }

  /** What has been told of one connection, as far as it is kept. */
  about(connection: number): readonly Entry[] {
    return [...this.#from(this.#first)].filter(({ event }) =>
      "connection" in event && event.connection === connection
    );
  }

  /** Hears of every event from now on, until the subscription is disposed. */
  subscribe(listener: (entry: Entry) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Keeps no more. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  /** The number of the oldest entry that is kept. */
  get #first(): number {
    return this.#last - this.#ring.length + 1;
  }

  *#from(number: number): Generator<Entry> {
    for (; number <= this.#last; number++) yield this.#ring[(number - 1) % KEPT]!;
  }

  #keep(event: OutletEvent): void {
    const entry = { number: ++this.#last, at: Date.now(), event };
    this.#ring[(entry.number - 1) % KEPT] = entry;
    for (const listener of this.#listeners) tasks.run(() => listener(entry));
  }
}

/** An event as the log's JSON has it. */
export function entryJson({ event, at }: Entry): string {
  return jsonLine(event, new Date(at));
}
