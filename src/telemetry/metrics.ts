/**
 * Counts events for Prometheus.
 *
 * @module
 */
import { type Address, formatAddress } from "../endpoint/address.ts";
import { acceptQueues, listenCounters } from "./accept_queue.ts";
import { ByOutlet } from "./by_outlet.ts";
import { EventCounters } from "./event_counters.ts";
import { dropMetrics } from "./drop_metrics.ts";
import { expositionOf } from "./exposition.ts";
import type { AboutOutlet, OutletEvent } from "../events/events.ts";
import type { ServerEvent } from "../events/server_events.ts";
import { addTo, labelsOf, OutletCounters } from "./outlet_counters.ts";
import { httpMetrics } from "./http_metrics.ts";
import { kernelMetrics } from "./kernel_metrics.ts";
import { loopMetrics } from "./loop_metrics.ts";
import type { LoopDelay, LoopDelayWatch } from "../scheduling/loop_delay.ts";
import { outletMetrics, type TrafficSum } from "./outlet_metrics.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { EventBus } from "../events/event_bus.ts";
import { resolverMetrics } from "./resolver_metrics.ts";
import { resolver, type ResolverCounts } from "../transport/resolver.ts";
import { roomMetrics } from "./room_metrics.ts";

/** An open connection. */
export interface LiveConnection {
  /** Its outlet. */
  readonly outlet: { readonly id: number; readonly name: string; readonly address: Address };
  /** Its byte counters. */
  readonly connection: {
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly datagramsIn?: number | undefined;
    readonly datagramsOut?: number | undefined;
  };
}

/** The most different values of a `reason` or `code` label; others count as `other`. */
const MAX_LABEL_VALUES = 32;

/** The state of the server: `ok` once all outlets listen, `draining` once it accepts no more connections. */
export type Health = "starting" | "ok" | "draining";

/** Counts the events of an event bus until it is disposed. */
export class Metrics implements Disposable {
  /** The open connections; by default none. */
  live: () => Iterable<LiveConnection> = () => [];

  /** The chat rooms; by default none. */
  rooms: () => RoomsStatus | undefined = () => undefined;

  /** The counters of name look-ups. */
  names: () => ResolverCounts = () => resolver.counts;

  readonly #subscription: Disposable;
  readonly #outlets = new Map<number, AboutOutlet>();
  /** Outlets with the same labels share counters, because they are the same time series. */
  readonly #byLabels = new Map<string, OutletCounters>();
  readonly #outletCounters = new ByOutlet((about) => this.#countersFor(about));
  readonly #labelValues = new Set<string>();
  readonly #counters = new EventCounters();
  #loop: LoopDelayWatch | undefined;
  #health: Health = "starting";

  /** Subscribes to the event bus. */
  constructor(eventBus: EventBus) {
    this.#subscription = eventBus.subscribe((event) => this.#count(event));
  }

  /** The state of the server. */
  get health(): Health {
    return this.#health;
  }

  /** All metrics in Prometheus's text format, generated as they are read. */
  async *pieces(): AsyncGenerator<string> {
    const waiting = await acceptQueues();
    yield* expositionOf([
      ...outletMetrics({
        counters: () => this.#byLabels.values(),
        open: () => this.#open(),
        sums: () => this.#sums(),
        queues: () => this.#queues(waiting),
      }),
      ...kernelMetrics(await listenCounters()),
      ...this.#loop ? loopMetrics(this.#loop) : [],
      ...httpMetrics(),
      ...roomMetrics(this.rooms()),
      ...resolverMetrics(this.names()),
      ...dropMetrics(),
    ]);
    yield await this.#counters.text();
  }

  /** All metrics as one text. */
  async text(): Promise<string> {
    return (await Array.fromAsync(this.pieces())).join("");
  }

  /** The media type of the text. */
  get contentType(): string {
    return this.#counters.contentType;
  }

  /** Starts to measure the delay of event loops; `undefined` stops it. */
  watchLoop(delay: LoopDelay | undefined): void {
    if (delay) {
      this.#loop ??= delay.watch();
      return;
    }
    this.#loop?.[Symbol.dispose]();
    this.#loop = undefined;
  }

  /** Unsubscribes. */
  [Symbol.dispose](): void {
    this.#loop?.[Symbol.dispose]();
    this.#subscription[Symbol.dispose]();
  }

  #count(event: OutletEvent): void {
    if (!("outlet" in event)) return this.#countServerEvent(event);
    switch (event.event) {
      case "listening":
        this.#outlets.set(event.id, event);
        break;
      case "opened":
        this.#outletCounters.of(event).opened++;
        break;
      case "refused":
      case "dropped":
        addTo(this.#outletCounters.of(event)[event.event], {
          label: this.#labelValue(event.reason),
          count: event.datagrams,
        });
        break;
      case "closed":
        this.#close(event);
        break;
      case "failed":
        if (event.code !== undefined) {
          this.#counters.acceptError(labelsOf(event), this.#labelValue(event.code));
        }
        break;
      case "stopped":
        this.#outlets.delete(event.id);
        this.#outletCounters.delete(event);
        break;
    }
  }

  #countServerEvent(event: ServerEvent): void {
    switch (event.event) {
      case "reloaded":
      case "rejected":
        this.#counters.reload(event.event);
        // Metrics that were enabled by a reload have missed the "ready" event.
        if (this.#health === "starting") this.#health = "ok";
        break;
      case "ready":
        this.#health = "ok";
        break;
      case "draining":
        this.#health = "draining";
        break;
      case "unexpected-error":
        this.#counters.unexpectedError();
        break;
      case "task-failed":
        this.#counters.taskFailure();
        break;
    }
  }

  #countersFor(about: AboutOutlet): OutletCounters {
    const labels = labelsOf(about);
    const key = `${labels.outlet} ${labels.address}`;
    const counters = this.#byLabels.get(key) ?? new OutletCounters(labels);
    this.#byLabels.set(key, counters);
    return counters;
  }

  #close(event: Extract<OutletEvent, { event: "closed" }>): void {
    const { closed, durations, sizes, datagrams } = this.#outletCounters.of(event);
    datagrams.in += event.datagramsIn ?? 0;
    datagrams.out += event.datagramsOut ?? 0;
    addTo(closed, { label: this.#labelValue(event.reason) });
    durations.add(event.duration / 1000);
    sizes.in.add(event.bytesIn);
    sizes.out.add(event.bytesOut);
  }

  /** Open connections by outlet, including outlets that drain. */
  #open(): Map<OutletCounters, number> {
    const counts = new Map<OutletCounters, number>();
    for (const about of this.#outlets.values()) counts.set(this.#outletCounters.of(about), 0);
    for (const { outlet } of this.live()) {
      const counters = this.#outletCounters.of(aboutOf(outlet));
      counts.set(counters, (counts.get(counters) ?? 0) + 1);
    }
    return counts;
  }

  #queues(waiting: ReadonlyMap<string, number>): Map<OutletCounters, number> {
    const queues = new Map<OutletCounters, number>();
    for (const about of this.#outlets.values()) {
      const length = waiting.get(withoutZones(formatAddress(about.address)));
      if (length !== undefined) queues.set(this.#outletCounters.of(about), length);
    }
    return queues;
  }

  /** Bytes and datagrams by outlet, including those of open connections. */
  #sums(): Map<OutletCounters, TrafficSum> {
    const sums = new Map(
      [...this.#byLabels.values()].map((counters) => {
        const { sizes, datagrams } = counters;
        return [counters, { in: sizes.in.sum, out: sizes.out.sum, datagrams: { ...datagrams } }];
      }),
    );
    for (const { outlet, connection } of this.live()) {
      const counters = this.#outletCounters.of(aboutOf(outlet));
      const sum = sums.get(counters) ?? { in: 0, out: 0, datagrams: { in: 0, out: 0 } };
      sum.in += connection.bytesIn;
      sum.out += connection.bytesOut;
      sum.datagrams.in += connection.datagramsIn ?? 0;
      sum.datagrams.out += connection.datagramsOut ?? 0;
      sums.set(counters, sum);
    }
    return sums;
  }

  /** A reason as a label: the part before a colon, and a limited number of different ones. */
  #labelValue(reason: string): string {
    const word = reason.replace(/:.*$/s, "");
    if (!this.#labelValues.has(word) && this.#labelValues.size >= MAX_LABEL_VALUES) return "other";
    this.#labelValues.add(word);
    return word;
  }
}

/** Removes IPv6 zones, which the kernel's tables do not have. */
function withoutZones(address: string): string {
  return address.replace(/%[^\]]*/, "");
}

function aboutOf({ id, name, address }: LiveConnection["outlet"]): AboutOutlet {
  return { id, outlet: name, address };
}
