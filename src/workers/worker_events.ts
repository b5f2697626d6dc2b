/**
 * Merges the events of all workers into the events of one server.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { OutletEvent } from "../events/events.ts";
import { healthEvent } from "../server/open_service.ts";
import { Incidents } from "./incidents.ts";
import type { HealthReport, WorkerMessage } from "./messages.ts";
import { RemoteConnection } from "./remote.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import type { WorkerOutlets } from "./worker_outlets.ts";

/** Options of {@linkcode WorkerEvents}. */
export interface WorkerEventsOptions {
  /** The outlets. */
  readonly outlets: WorkerOutlets;
  /** Where events are published. */
  readonly eventBus: EventBus;
}

/** Publishes the events of workers, and updates outlets and connections from them. */
export class WorkerEvents {
  readonly #outlets: WorkerOutlets;
  readonly #eventBus: EventBus;
  readonly #incidents = new Incidents();

  /** Publishes on this event bus. */
  constructor({ outlets, eventBus }: WorkerEventsOptions) {
    this.#outlets = outlets;
    this.#eventBus = eventBus;
  }

  /** Handles a message about outlets or connections; others are ignored. */
  receive(message: WorkerMessage, worker: WorkerHandle): void {
    switch (message.type) {
      case "events":
        for (const event of message.events) this.#forward(event, worker);
        break;
      case "counts":
        this.#updateCounts(message.counts);
        break;
      case "bytes":
        this.#outlets.findConnection(message.connection)?.deliver(message.direction, message.bytes);
        break;
      case "health":
        this.#applyHealth(message.report, worker);
    }
  }

  /** Publishes an event; an incident that every worker reports is published once. */
  #forward(event: OutletEvent, worker: WorkerHandle): void {
    if (!("outlet" in event)) return this.#eventBus.publish(event);
    const outlet = this.#outlets.find(event.id);
    switch (event.event) {
      case "listening":
        return outlet?.listens(event);
      case "stopped":
        return this.#outlets.removeWorker(event.id, { worker, aborted: event.aborted });
      case "opened":
        outlet?.add(new RemoteConnection(event, worker));
        break;
      case "closed":
        outlet?.remove(event.connection);
        break;
      case "failed":
        // A failed accept concerns only this worker.
        if (!("code" in event) && !this.#incidents.isNew(event, worker.index)) return;
    }
    if (outlet) this.#outlets.publish(event, outlet);
    else this.#eventBus.publish(event);
  }

  /** Publishes a change of an upstream's health, unless another worker reported it before. */
  #applyHealth(report: HealthReport, worker: WorkerHandle): void {
    const outlet = this.#outlets.find(report.outlet);
    if (!outlet || !this.#outlets.applyHealth(report, worker)) return;
    this.#outlets.publish(healthEvent(outlet.about, report), outlet);
  }

  #updateCounts(counts: Float64Array): void {
    for (let at = 0; at < counts.length; at += 6) {
      const connection = this.#outlets.findConnection(counts[at]!);
      if (!connection) continue;
      connection.bytesIn = counts[at + 1]!;
      connection.bytesOut = counts[at + 2]!;
      connection.halfClosed = counts[at + 3] === 1;
      if (connection.datagramsIn === undefined) continue;
      connection.datagramsIn = counts[at + 4]!;
      connection.datagramsOut = counts[at + 5]!;
    }
  }
}
