/**
 * What workers tell of their outlets and connections, published as if one server told it.
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

/** Where it goes. */
export interface WorkerEventsOptions {
  /** The outlets. */
  readonly outlets: WorkerOutlets;
  /** Where events are published. */
  readonly eventBus: EventBus;
}

/** Takes in what workers tell. */
export class WorkerEvents {
  readonly #outlets: WorkerOutlets;
  readonly #eventBus: EventBus;
  readonly #incidents = new Incidents();

  /** Nothing was told yet. */
  constructor({ outlets, eventBus }: WorkerEventsOptions) {
    this.#outlets = outlets;
    this.#eventBus = eventBus;
  }

  /** Takes in a message; others than those of outlets and connections are left alone. */
  receive(message: WorkerMessage, worker: WorkerHandle): void {
    switch (message.type) {
      case "events":
        for (const event of message.events) this.#forward(event, worker);
        break;
      case "counts":
        this.#count(message.counts);
        break;
      case "bytes":
        this.#outlets.findConnection(message.connection)?.show(message.way, message.bytes);
        break;
      case "health":
        this.#learn(message.report, worker);
    }
  }

  /** Publishes an event; what every worker notices by itself is published once. */
  #forward(event: OutletEvent, worker: WorkerHandle): void {
    if (!("outlet" in event)) return this.#eventBus.publish(event);
    const outlet = this.#outlets.find(event.id);
    switch (event.event) {
      case "listening":
        return outlet?.listens(event);
      case "stopped":
        return this.#outlets.left(event.id, { worker, cut: event.cut });
      case "opened":
        outlet?.add(new RemoteConnection(event, worker));
        break;
      case "closed":
        outlet?.remove(event.connection);
        break;
      case "failed":
        // A client that could not be accepted is one worker's alone.
        if (!("code" in event) && !this.#incidents.isNews(event, worker.index)) return;
    }
    if (outlet) this.#outlets.tell(event, outlet);
    else this.#eventBus.publish(event);
  }

  /** Publishes what a worker has found out of an upstream, unless another one has found it out before. */
  #learn(report: HealthReport, worker: WorkerHandle): void {
    const outlet = this.#outlets.find(report.outlet);
    if (!outlet || !this.#outlets.learn(report, worker)) return;
    this.#outlets.tell(healthEvent(outlet.about, report), outlet);
  }

  #count(counts: Float64Array): void {
    for (let at = 0; at < counts.length; at += 4) {
      const connection = this.#outlets.findConnection(counts[at]!);
      if (!connection) continue;
      connection.bytesIn = counts[at + 1]!;
      connection.bytesOut = counts[at + 2]!;
      connection.halfClosed = counts[at + 3] === 1;
    }
  }
}
