/**
 * Where facts are told and heard. They flow one way: a listener cannot hold up or break who publishes.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import type { OutletEvent } from "./events.ts";

/** Hears of every fact, in order, at once; it must return quickly. */
export type Listener = (event: OutletEvent) => void;

const tasks = new TaskScope("listening to events", {
  without: "the other listeners have heard of this one",
});

/** Hands each published fact to every subscriber. */
export class EventBus {
  readonly #listeners = new Set<Listener>();

  /** Tells a fact to all who listen. One listener's fault is kept from the others and from the caller. */
  publish(event: OutletEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        tasks.fail(error);
      }
    }
  }

  /** Listens until the subscription is disposed. */
  subscribe(listener: Listener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
