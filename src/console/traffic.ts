/**
 * What has come and gone so far: by outlet, and second by second for the last quarter of an hour.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { ByOutlet } from "../telemetry/by_outlet.ts";
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { Address } from "../endpoint/address.ts";

const tasks = new TaskScope("the console's figures of a second", {
  without: "that second is missing",
});

/** How many samples are kept, and the milliseconds from one to the next: 15 minutes of seconds. */
const KEPT = 15 * 60;
const PERIOD = 1_000;

/** What is seen of a connection that is open. */
export interface Live {
  /** Its outlet. */
  readonly outlet: { readonly id: number; readonly name: string; readonly address: Address };
  /** What came and went so far. */
  readonly connection: { readonly bytesIn: number; readonly bytesOut: number };
}

/** What came and went at an outlet since it was opened. */
export interface Totals {
  /** Connections opened. */
  opened: number;
  /** Connections refused, by reason. */
  refused: number;
  /** Bytes that came from clients. */
  bytesIn: number;
  /** Bytes that went to clients. */
  bytesOut: number;
}

/** One second. */
export interface Sample {
  /** When it ended, in milliseconds since 1970. */
  readonly at: number;
  /** Connections that were open then. */
  readonly open: number;
  /** Clients that were let in during it. */
  readonly opened: number;
  /** Clients that were turned away during it. */
  readonly refused: number;
  /** Bytes that came during it. */
  readonly bytesIn: number;
  /** Bytes that went during it. */
  readonly bytesOut: number;
  /** How late the event loops were at worst during it, in milliseconds. */
  readonly delay: number;
}

/** What is looked at each second. */
export interface TrafficSources {
  /** The open connections. */
  live(): Iterable<Live>;
  /** The longest delay of the event loops since this was asked the last time, in seconds. */
  takeLongestDelay(): number;
}

/** Counts until it is disposed. It costs a look at all counters a second. */
export class Traffic implements Disposable {
  /** The last seconds, the oldest first. */
  readonly samples: Sample[] = [];

  readonly #sources: TrafficSources;
  readonly #subscription: Disposable;
  readonly #timer = setInterval(tasks.guard(() => this.#sample()), PERIOD);
  readonly #listeners = new Set<(sample: Sample) => void>();
  /** Of bytes, those of connections that have ended. */
  readonly #counts = new ByOutlet(nothing);
  /** The same over all outlets, those that are gone included. */
  readonly #all = nothing();
  #before = nothing();

  /** Counts from now on. */
  constructor(eventBus: EventBus, sources: TrafficSources) {
    this.#sources = sources;
    this.#subscription = eventBus.subscribe((event) => this.#count(event));
  }

  /** The totals by outlet, by their numbers, open connections included. */
  totals(): ReadonlyMap<number, Totals> {
    const totals = new Map([...this.#counts.entries()].map(([key, sum]) => [key, { ...sum }]));
    for (const { outlet, connection } of this.#sources.live()) {
      const sum = totals.get(outlet.id);
      if (sum) addBytes(sum, connection);
    }
    return totals;
  }

  /** Hears of every second from now on, until the subscription is disposed. */
  subscribe(listener: (sample: Sample) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Counts no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#subscription[Symbol.dispose]();
  }

  #count(event: OutletEvent): void {
    switch (event.event) {
      case "listening":
        this.#counts.of(event);
        break;
      case "opened":
        this.#all.opened++;
        this.#counts.of(event).opened++;
        break;
      case "refused":
        this.#all.refused++;
        this.#counts.of(event).refused++;
        break;
      case "closed":
        addBytes(this.#all, event);
        addBytes(this.#counts.of(event), event);
        break;
      case "stopped":
        this.#counts.delete(event);
        break;
    }
  }

  #sample(): void {
    const now = { ...this.#all };
    let open = 0;
    for (const { connection } of this.#sources.live()) {
      addBytes(now, connection);
      open++;
    }
    const before = this.#before;
    const sample = {
      at: Date.now(),
      open,
      opened: now.opened - before.opened,
      refused: now.refused - before.refused,
      bytesIn: now.bytesIn - before.bytesIn,
      bytesOut: now.bytesOut - before.bytesOut,
      delay: this.#sources.takeLongestDelay() * 1_000,
    };
    this.#before = now;
    if (this.samples.push(sample) > KEPT) this.samples.shift();
    for (const listener of this.#listeners) tasks.run(() => listener(sample));
  }
}

function addBytes(sum: Totals, { bytesIn, bytesOut }: Live["connection"]): void {
  sum.bytesIn += bytesIn;
  sum.bytesOut += bytesOut;
}

function nothing(): Totals {
  return { opened: 0, refused: 0, bytesIn: 0, bytesOut: 0 };
}
