/**
 * Traffic statistics: totals by outlet, and samples of the last 15 minutes.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { ByOutlet } from "../telemetry/by_outlet.ts";
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { Address } from "../endpoint/address.ts";

const tasks = new TaskScope("the console's figures of a second", {
  consequence: "that second is missing",
});

/**
 * The number of samples that are kept, and their interval in milliseconds: 15 minutes of seconds.
 */
const MAX_SAMPLES = 15 * 60;
const PERIOD = 1_000;

/** The counters of an open connection. */
export interface Live {
  /** Its outlet. */
  readonly outlet: { readonly id: number; readonly name: string; readonly address: Address };
  /** Its byte counters. */
  readonly connection: { readonly bytesIn: number; readonly bytesOut: number };
}

/** The totals of an outlet since it was opened. */
export interface Totals {
  /** Connections accepted. */
  opened: number;
  /** Connections refused. */
  refused: number;
  /** Bytes received. */
  bytesIn: number;
  /** Bytes sent. */
  bytesOut: number;
}

/** One second. */
export interface Sample {
  /** The end of the second, in milliseconds since 1970. */
  readonly at: number;
  /** Open connections at its end. */
  readonly open: number;
  /** Connections accepted. */
  readonly opened: number;
  /** Connections refused. */
  readonly refused: number;
  /** Bytes received. */
  readonly bytesIn: number;
  /** Bytes sent. */
  readonly bytesOut: number;
  /** The longest delay of the event loops in milliseconds. */
  readonly delay: number;
}

/** What is sampled. */
export interface TrafficSources {
  /** The open connections. */
  live(): Iterable<Live>;
  /** The longest delay of the event loops since the last call, in seconds. */
  takeLongestDelay(): number;
}

/**
 * Counts and samples until it is disposed. Each second it reads the counters of all connections.
 */
export class Traffic implements Disposable {
  /** The samples, the oldest first. */
  readonly samples: Sample[] = [];

  readonly #sources: TrafficSources;
  readonly #subscription: Disposable;
  readonly #timer = setInterval(tasks.guard(() => this.#sample()), PERIOD);
  readonly #listeners = new Set<(sample: Sample) => void>();
  /** The byte counters only include connections that have ended. */
  readonly #counts = new ByOutlet(nothing);
  /** The totals of all outlets, closed ones included. */
  readonly #all = nothing();
  #before = nothing();

  /** Starts counting. */
  constructor(eventBus: EventBus, sources: TrafficSources) {
    this.#sources = sources;
    this.#subscription = eventBus.subscribe((event) => this.#count(event));
  }

  /** The totals by the outlet's number, open connections included. */
  totals(): ReadonlyMap<number, Totals> {
    const totals = new Map([...this.#counts.entries()].map(([key, sum]) => [key, { ...sum }]));
    for (const { outlet, connection } of this.#sources.live()) {
      const sum = totals.get(outlet.id);
      if (sum) addBytes(sum, connection);
    }
    return totals;
  }

  /** Calls the listener for every sample from now on, until disposed. */
  subscribe(listener: (sample: Sample) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Stops counting. */
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
        this.#all.refused += event.datagrams ?? 1;
        this.#counts.of(event).refused += event.datagrams ?? 1;
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
    if (this.samples.push(sample) > MAX_SAMPLES) this.samples.shift();
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
