/**
 * A bus between the workers of one process.
 *
 * @module
 */
import type { Bus, BusWatcher, Topic } from "./bus.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("receiving from another worker", {
  consequence: "that message is lost",
});

/**
 * A bus over a `BroadcastChannel`, which drops messages for a receiver that is some hundreds
 * behind.
 */
export class BroadcastBus implements Bus {
  /** The name for users. */
  readonly name: string = "workers";
  /** Whether it is limited to this process. */
  readonly isLocal = true;
  /** Always 0: a channel does not report its queue. */
  readonly waiting = 0;
  /** Unlimited. */
  readonly messageLimit: number = Infinity;
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Map<string, Set<(message: Uint8Array) => void>>();

  /** The bus over the channel of this name. */
  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = tasks.guard(({ data }: MessageEvent<[string, Uint8Array]>) => {
      const [topic, message] = data;
      for (const onMessage of this.#listeners.get(topic) ?? []) onMessage(message);
    });
  }

  /** Publishes a message to the other workers. */
  publish(topic: Topic, message: Uint8Array): boolean {
    this.#channel.postMessage([keyOf(topic), message]);
    return true;
  }

  /** Subscribes to a topic. */
  subscribe(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    const key = keyOf(topic);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(onMessage));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(onMessage);
        if (listeners.size === 0) this.#listeners.delete(key);
      },
    };
  }

  /** Calls the watcher once: the bus is always up. */
  watch({ changed }: BusWatcher): void {
    changed({ state: "up", at: "this process" });
  }

  /** Resolves at once. */
  caughtUp(): Promise<void> {
    return Promise.resolve();
  }

  /** Closes the channel. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#channel.close();
    return Promise.resolve();
  }
}

function keyOf(topic: Topic): string {
  return JSON.stringify(topic);
}
