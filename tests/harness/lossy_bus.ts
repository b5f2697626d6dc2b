/**
 * A bus inside a test, which loses, duplicates or delays messages as the test asks it to.
 *
 * @module
 */
import type { Bus, BusWatcher, Topic } from "../../src/chat/bus/bus.ts";

/** How many times a message is delivered. */
export type Delivery = (message: Uint8Array) => number;

/** The network between several buses: each receives what is published on the others. */
export class BusNetwork {
  readonly subscriptions = new Set<
    { from: LossyBus; key: string; hear(message: Uint8Array): void }
  >();
  delivery: Delivery = () => 1;
  /** Every message so far, as text. */
  readonly messages: string[] = [];

  /** Publishes as another client of the bus. */
  inject(topic: Topic, message: Uint8Array | string, from?: LossyBus): void {
    const bytes = typeof message === "string" ? new TextEncoder().encode(message) : message;
    this.messages.push(new TextDecoder().decode(bytes.subarray(0, 1000)));
    for (const subscription of this.subscriptions) {
      if (subscription.from === from || subscription.key !== topic.join("\n")) continue;
      for (let i = this.delivery(bytes); i > 0; i--) queueMicrotask(() => subscription.hear(bytes));
    }
  }
}

/** One server's connection to it. */
export class LossyBus implements Bus {
  readonly name = "test";
  readonly isLocal = false;
  readonly messageLimit = Infinity;
  readonly waiting = 0;
  readonly #network: BusNetwork;
  #isUp = true;
  #watcher: BusWatcher | undefined;

  constructor(network: BusNetwork) {
    this.#network = network;
  }

  publish(topic: Topic, message: Uint8Array): boolean {
    if (this.#isUp) this.#network.inject(topic, message, this);
    return this.#isUp;
  }

  subscribe(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    const subscription = {
      from: this,
      key: topic.join("\n"),
      hear: (message: Uint8Array) => this.#isUp && onMessage(message),
    };
    this.#network.subscriptions.add(subscription);
    return { [Symbol.dispose]: () => void this.#network.subscriptions.delete(subscription) };
  }

  watch(watcher: BusWatcher): void {
    this.#watcher = watcher;
    watcher.changed({ state: "up", at: "test" });
  }

  /** Goes down or up. */
  setState(state: "up" | "down"): void {
    this.#isUp = state === "up";
    this.#watcher?.changed(
      state === "up" ? { state: "up", at: "test" } : { state: "down", reason: "a test" },
    );
  }

  caughtUp(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
