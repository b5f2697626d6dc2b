/**
 * Counts refused and dropped datagrams, and publishes the counts now and then: a flood must not
 * become a flood of events.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { AboutOutlet } from "../events/events.ts";

/** Datagrams of one reason since the last event. */
interface Count {
  readonly event: "dropped" | "refused";
  datagrams: number;
  from: Deno.NetAddr | undefined;
}

/** Counts by reason. The reasons are a closed set, so the memory is bounded. */
export class DatagramDrops {
  readonly #eventBus: EventBus;
  readonly #about: AboutOutlet;
  readonly #counts = new Map<string, Count>();

  /** Publishes events about this outlet. */
  constructor(eventBus: EventBus, about: AboutOutlet) {
    this.#eventBus = eventBus;
    this.#about = about;
  }

  /** Whether nothing was counted since the last {@linkcode publish}. */
  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** Counts datagrams that were received and not handled. */
  dropped(
    reason: string,
    { from, datagrams = 1 }: { from?: Deno.NetAddr | undefined; datagrams?: number } = {},
  ): void {
    this.#add("dropped", reason).datagrams += datagrams;
    this.#counts.get(reason)!.from = from;
  }

  /** Counts a datagram of a client that was refused a session. */
  refused(reason: string, from: Deno.NetAddr): void {
    const count = this.#add("refused", reason);
    count.datagrams++;
    count.from = from;
  }

  /** Publishes an event for each reason. */
  publish(): void {
    for (const [reason, { event, datagrams, from }] of this.#counts) {
      const peer = from && addressOf(from);
      const about = { ...this.#about, reason, datagrams };
      if (event === "refused") this.#eventBus.publish({ event, ...about, peer: peer! });
      else this.#eventBus.publish({ event, ...about, ...peer ? { peer } : {} });
    }
    this.#counts.clear();
  }

  #add(event: Count["event"], reason: string): Count {
    let count = this.#counts.get(reason);
    if (!count) this.#counts.set(reason, count = { event, datagrams: 0, from: undefined });
    return count;
  }
}

function addressOf({ hostname, port }: Deno.NetAddr): Address {
  return { hostname, port };
}
