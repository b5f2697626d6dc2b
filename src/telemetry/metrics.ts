/**
 * What happens, counted for Prometheus, through prom-client.
 *
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import { type Address, formatAddress } from "../endpoint/address.ts";
import { acceptQueues, listenCounters } from "./accept_queue.ts";
import { ByOutlet, outletKey } from "./by_outlet.ts";
import type { AboutOutlet, OutletEvent } from "../events/events.ts";
import { ABOUT, addOne, labelsOf, OutletCounters } from "./outlet_counters.ts";
import { outletMetrics } from "./outlet_metrics.ts";
import type { RoomsStatus } from "../chat/status.ts";
import type { EventBus } from "../events/event_bus.ts";
import { resolverMetrics } from "./resolver_metrics.ts";
import { resolver, type ResolverCounts } from "../transport/resolver.ts";
import { roomMetrics } from "./room_metrics.ts";

/** What metrics see of a connection that is still open. */
export interface LiveConnection {
  /** Its outlet. */
  readonly outlet: { readonly name: string; readonly address: Address };
  /** What came and went so far. */
  readonly connection: { readonly bytesIn: number; readonly bytesOut: number };
}

/** The most values that a label which is made of words may have; others count as `other`. */
const WORDS_LIMIT = 32;

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
  readonly #outlets = new Map<string, AboutOutlet>();
  readonly #outletCounters = new ByOutlet((about) => new OutletCounters(labelsOf(about)));
  readonly #outletFigures = outletMetrics(this.#outletCounters);
  readonly #words = new Set<string>();
  readonly #counters = this.#counted();
  #draining = false;

  /** Counts from now on. */
  constructor(eventBus: EventBus) {
    this.#looked();
    this.#subscription = eventBus.subscribe((event) => this.#count(event));
  }

  /** How the server is: `ok`, or `draining` once it takes nobody any more. */
  get health(): "ok" | "draining" {
    return this.#draining ? "draining" : "ok";
  }

  /** All metrics in Prometheus's text format. */
  async text(): Promise<string> {
    return await this.#outletFigures.text() + await this.#registry.metrics() +
      await this.#rooms.text() + "\n" + await this.#names.text();
  }

  /** The media type of that text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts no more. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #count(event: OutletEvent): void {
    const { faults, reloads } = this.#counters;
    switch (event.event) {
      case "listening":
        this.#outlets.set(keyOf(event), event);
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
        this.#outlets.delete(keyOf(event));
        break;
      case "reloaded":
      case "rejected":
        reloads.inc({ result: event.event });
        break;
      case "draining":
        this.#draining = true;
        break;
    }
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
    };
  }

  /** Looked up when somebody asks. */
  #looked(): void {
    const registers = [this.#registry];
    // deno-lint-ignore no-this-alias
    const metrics = this;
    new Gauge({
      name: "outlet_connections_open",
      help: "Connections that are open now.",
      labelNames: ABOUT,
      registers,
      collect() {
        this.reset();
        for (const about of metrics.#outlets.values()) this.set({ ...labelsOf(about) }, 0);
        for (const { outlet } of metrics.live()) this.inc({ ...labelsOf(aboutOf(outlet)) });
      },
    });
    new Counter({
      name: "outlet_bytes_total",
      help: "Bytes that came from clients (in) and went to them (out).",
      labelNames: [...ABOUT, "direction"],
      registers,
      collect() {
        this.reset();
        for (const [{ labels }, bytes] of metrics.#bytes()) {
          this.inc({ ...labels, direction: "in" }, bytes.in);
          this.inc({ ...labels, direction: "out" }, bytes.out);
        }
      },
    });
    new Gauge({
      name: "outlet_accept_queue_length",
      help: "Clients that wait in the kernel to be accepted.",
      labelNames: ABOUT,
      registers,
      async collect() {
        const queues = await acceptQueues();
        this.reset();
        for (const about of metrics.#outlets.values()) {
          const length = queues.get(withoutZones(formatAddress(about.address)));
          if (length !== undefined) this.set({ ...labelsOf(about) }, length);
        }
      },
    });
    new Counter({
      name: "outlet_kernel_listen_overflows_total",
      help: "Clients that found an accept queue full, of any program in this network namespace.",
      registers,
      async collect() {
        const { overflows } = await listenCounters();
        this.reset();
        this.inc(overflows);
      },
    });
    new Counter({
      name: "outlet_kernel_listen_drops_total",
      help:
        "Clients that the kernel dropped before accept, of any program in this network namespace.",
      registers,
      async collect() {
        const { drops } = await listenCounters();
        this.reset();
        this.inc(drops);
      },
    });
  }

  /** Bytes by outlet, those of open connections included. */
  #bytes(): Map<OutletCounters, { in: number; out: number }> {
    const sums = new Map(
      [...this.#outletCounters.values()].map((tally) => {
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

/** The kernel's tables tell no zones. */
function withoutZones(address: string): string {
  return address.replace(/%[^\]]*/, "");
}

function aboutOf({ name, address }: LiveConnection["outlet"]): AboutOutlet {
  return { outlet: name, address };
}

function keyOf({ outlet, address }: AboutOutlet): string {
  return outletKey(outlet, address);
}
