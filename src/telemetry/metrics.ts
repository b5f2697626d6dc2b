/**
 * What happens, counted for Prometheus, through prom-client.
 *
 * @module
 */
import { Counter, Registry } from "prom-client";
import { type Address, formatAddress } from "../endpoint/address.ts";
import { acceptQueues, listenCounters } from "./accept_queue.ts";
import { ByOutlet } from "./by_outlet.ts";
import { dropMetrics } from "./drop_metrics.ts";
import { expositionOf, type Family } from "./exposition.ts";
import type { ListenCounters } from "../trace/kernel/parse_sockets.ts";
import type { AboutOutlet, OutletEvent } from "../events/events.ts";
import { ABOUT, addOne, labelsOf, OutletCounters } from "./outlet_counters.ts";
import { httpMetrics } from "./http_metrics.ts";
import { loopMetrics } from "./loop_metrics.ts";
import type { LoopDelay, LoopDelayWatch } from "../scheduling/loop_delay.ts";
import { outletMetrics } from "./outlet_metrics.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { EventBus } from "../events/event_bus.ts";
import { resolverMetrics } from "./resolver_metrics.ts";
import { resolver, type ResolverCounts } from "../transport/resolver.ts";
import { roomMetrics } from "./room_metrics.ts";

/** What metrics see of a connection that is still open. */
export interface LiveConnection {
  /** Its outlet. */
  readonly outlet: { readonly id: number; readonly name: string; readonly address: Address };
  /** What came and went so far. */
  readonly connection: { readonly bytesIn: number; readonly bytesOut: number };
}

/** The most values that a label which is made of words may have; others count as `other`. */
const WORDS_LIMIT = 32;

/** How a server is: `ok` once all its outlets listen, `draining` once it takes nobody any more. */
export type Health = "starting" | "ok" | "draining";

/** Counts every event of the event bus until it is disposed. */
export class Metrics implements Disposable {
  /** The open connections; until it is set there are none. */
  live: () => Iterable<LiveConnection> = () => [];

  /** The chat rooms; until it is set there are none. */
  rooms: () => RoomsStatus | undefined = () => undefined;

  /** How names are looked up. */
  names: () => ResolverCounts = () => resolver.counts;

  readonly #registry = new Registry();
  readonly #rooms = roomMetrics(() => this.rooms());
  readonly #names = resolverMetrics(() => this.names());
  readonly #subscription: Disposable;
  readonly #outlets = new Map<number, AboutOutlet>();
  /** What outlets of the same labels have counted together: to Prometheus they are one series. */
  readonly #byLabels = new Map<string, OutletCounters>();
  readonly #outletCounters = new ByOutlet((about) => this.#countersFor(about));
  readonly #words = new Set<string>();
  readonly #counters = this.#counted();
  #loop: LoopDelayWatch | undefined;
  #health: Health = "starting";

  /** Counts from now on. */
  constructor(eventBus: EventBus) {
    this.#subscription = eventBus.subscribe((event) => this.#count(event));
  }

  /** How the server is. */
  get health(): Health {
    return this.#health;
  }

  /** All metrics in Prometheus's text format, made as they are read. */
  async *pieces(): AsyncGenerator<string> {
    const waiting = await acceptQueues();
    yield* expositionOf([
      ...outletMetrics({
        counters: () => this.#byLabels.values(),
        open: () => this.#open(),
        bytes: () => this.#bytes(),
        queues: () => this.#queues(waiting),
      }),
      ...kernelMetrics(await listenCounters()),
      ...this.#loop ? loopMetrics(this.#loop) : [],
      ...httpMetrics(),
      ...dropMetrics(),
    ]);
    yield await this.#registry.metrics();
    yield await this.#rooms.text();
    yield await this.#names.text();
  }

  /** All of it at once. */
  async text(): Promise<string> {
    return (await Array.fromAsync(this.pieces())).join("");
  }

  /** The media type of that text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Measures from now on how late the event loops are, unless it does already; not any more, without any. */
  watchLoop(delay: LoopDelay | undefined): void {
    if (delay) {
      this.#loop ??= delay.watch();
      return;
    }
    this.#loop?.[Symbol.dispose]();
    this.#loop = undefined;
  }

  /** Counts no more. */
  [Symbol.dispose](): void {
    this.#loop?.[Symbol.dispose]();
    this.#subscription[Symbol.dispose]();
  }

  #count(event: OutletEvent): void {
    const { faults, reloads, errors, tasks } = this.#counters;
    switch (event.event) {
      case "listening":
        this.#outlets.set(event.id, event);
        break;
      case "opened":
        this.#outletCounters.of(event).opened++;
        break;
      case "refused":
        addOne(this.#outletCounters.of(event).refused, this.#word(event.reason));
        break;
      case "closed":
        this.#close(event);
        break;
      case "failed":
        if (event.code !== undefined) {
          faults.inc({ ...labelsOf(event), code: this.#word(event.code) });
        }
        break;
      case "stopped":
        this.#outlets.delete(event.id);
        this.#outletCounters.delete(event);
        break;
      case "reloaded":
      case "rejected":
        reloads.inc({ result: event.event });
        // Metrics that a reload has turned on have not seen the server become ready.
        if (this.#health === "starting") this.#health = "ok";
        break;
      case "ready":
        this.#health = "ok";
        break;
      case "draining":
        this.#health = "draining";
        break;
      case "unexpected-error":
        errors.inc();
        break;
      case "task-failed":
        tasks.inc();
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
    const { closed, durations, sizes } = this.#outletCounters.of(event);
    addOne(closed, this.#word(event.reason));
    durations.add(event.duration / 1000);
    sizes.in.add(event.bytesIn);
    sizes.out.add(event.bytesOut);
  }

  /** Counted whenever something happens. */
  #counted() {
    const counter = <const Label extends string>(name: string, help: string, labels: Label[]) =>
      new Counter({ name, help, labelNames: labels, registers: [this.#registry] });
    return {
      faults: counter(
        "outlet_accept_errors_total",
        "Clients that the system could not hand over.",
        [...ABOUT, "code"],
      ),
      reloads: counter("outlet_reloads_total", "Changes of the config.", ["result"]),
      errors: counter(
        "outlet_unexpected_errors_total",
        "Errors that nobody caught: each is a bug, to be reported.",
        [],
      ),
      tasks: counter(
        "outlet_task_failures_total",
        "Tasks beside the serving of clients that failed; the log tells which.",
        [],
      ),
    };
  }

  /** Connections by outlet, of those that listen and those that drain. */
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

  /** Bytes by outlet, those of open connections included. */
  #bytes(): Map<OutletCounters, { in: number; out: number }> {
    const sums = new Map(
      [...this.#byLabels.values()].map((tally) => {
        const { sizes } = tally;
        return [tally, { in: sizes.in.sum, out: sizes.out.sum }];
      }),
    );
    for (const { outlet, connection } of this.live()) {
      const tally = this.#outletCounters.of(aboutOf(outlet));
      const sum = sums.get(tally) ?? { in: 0, out: 0 };
      sum.in += connection.bytesIn;
      sum.out += connection.bytesOut;
      sums.set(tally, sum);
    }
    return sums;
  }

  /** A reason as a label: what stands in front of a colon, and only so many different ones. */
  #word(reason: string): string {
    const word = reason.replace(/:.*$/s, "");
    if (!this.#words.has(word) && this.#words.size >= WORDS_LIMIT) return "other";
    this.#words.add(word);
    return word;
  }
}

/** What the kernel counts; where it does not tell, there is nothing to say. */
function kernelMetrics(counters: ListenCounters | undefined): Family[] {
  if (counters === undefined) return [];
  const family = (name: string, help: string, value: number): Family => ({
    name,
    help: `${help}, of any program in this network namespace.`,
    type: "counter",
    samples: () => [{ labels: "", value }],
  });
  return [
    family(
      "outlet_kernel_listen_overflows_total",
      "Clients that found an accept queue full",
      counters.overflows,
    ),
    family(
      "outlet_kernel_listen_drops_total",
      "Clients that the kernel dropped before accept",
      counters.drops,
    ),
  ];
}

/** The kernel's tables tell no zones. */
function withoutZones(address: string): string {
  return address.replace(/%[^\]]*/, "");
}

function aboutOf({ id, name, address }: LiveConnection["outlet"]): AboutOutlet {
  return { id, outlet: name, address };
}
