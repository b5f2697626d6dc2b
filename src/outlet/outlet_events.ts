/**
 * The events of one outlet.
 *
 * @module
 */
import type { Conversation } from "../connection/conversation.ts";
import type { Address } from "../endpoint/address.ts";
import type { EventBus } from "../events/event_bus.ts";
import type { AboutOutlet } from "../events/events.ts";
import { codeOf, explain } from "../transport/errors.ts";
import type { OutletSettings } from "./settings.ts";

/** Publishes the events of one outlet. */
export class OutletEvents {
  readonly #eventBus: EventBus;
  readonly #about: AboutOutlet;

  /** The events of the outlet that `about` describes. */
  constructor(eventBus: EventBus, about: AboutOutlet) {
    this.#eventBus = eventBus;
    this.#about = about;
  }

  /** The outlet accepts connections. */
  listening({ certificate }: Pick<OutletSettings, "certificate">): void {
    this.#eventBus.publish({
      event: "listening",
      ...this.#about,
      ...certificate === undefined ? {} : { certificate },
    });
  }

  /** A connection was admitted, or a session opened. */
  opened({ id, peer, local, notes }: Conversation): void {
    this.#eventBus.publish({
      event: "opened",
      ...this.#about,
      connection: id,
      peer,
      local,
      ...notes ? { notes } : {},
    });
  }

  /** A connection or a session ended. */
  closed(
    { id, peer, bytesIn, bytesOut, openedAt, reason, notes, ...counts }:
      & Conversation
      & { readonly datagramsIn?: number; readonly datagramsOut?: number },
  ): void {
    const { datagramsIn, datagramsOut } = counts;
    this.#eventBus.publish({
      event: "closed",
      ...this.#about,
      connection: id,
      peer,
      bytesIn,
      bytesOut,
      ...datagramsIn === undefined ? {} : { datagramsIn, datagramsOut },
      duration: performance.now() - openedAt,
      reason: reason ?? "server closed",
      ...notes ? { notes } : {},
    });
  }

  /** A connection was refused. */
  refused(peer: Address, reason: string): void {
    this.#eventBus.publish({ event: "refused", ...this.#about, peer, reason });
  }

  /** Accepting or receiving failed; the next try is in `pause` milliseconds. */
  failed(
    error: unknown,
    { tried, pause }: { tried: "accept" | "receive"; pause: number },
  ): void {
    const then = pause > 0 ? `; trying again in ${pause} ms` : "";
    this.#eventBus.publish({
      event: "failed",
      ...this.#about,
      code: codeOf(error) ?? "unknown",
      reason: `cannot ${tried}: ${explain(error)}${then}`,
    });
  }

  /** An option has no effect, for this reason. */
  warned(error: unknown): void {
    this.#eventBus.publish({ event: "failed", ...this.#about, reason: explain(error) });
  }

  /** The outlet is closed, after `aborted` of its connections were aborted. */
  stopped(aborted: number): void {
    this.#eventBus.publish({ event: "stopped", ...this.#about, aborted });
  }
}
