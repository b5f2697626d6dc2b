/**
 * The event bus: publish/subscribe within the process. Subscribers cannot delay or break the publisher.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import type { OutletEvent } from "./events.ts";

/** Called synchronously with every event, in order; it must return quickly. */
export type EventListener = (event: OutletEvent) => void;

const tasks = new TaskScope("handling an event", {
  consequence: "other subscribers have received it",
});

/** Passes each published event to every subscriber. */
export class EventBus {
  readonly #listeners = new Set<EventListener>();

  /** Calls all subscribers. What one throws is reported, and affects neither the others nor the caller. */
  publish(event: OutletEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        tasks.fail(error);
      }
    }
  }

  /** Subscribes until the result is disposed. */
  subscribe(listener: EventListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
