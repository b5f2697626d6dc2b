/**
 * A bus between the workers of one process.
 *
 * @module
 */
import type { Bus, BusWatcher, Topic } from "./bus.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("receiving from another worker", {
  without: "that message is lost",
});

/** A bus over a `BroadcastChannel`. Its receivers lose messages when they are more than some hundreds behind. */
export class BroadcastBus implements Bus {
  /** What people call it. */
  readonly name: string = "workers";
  /** It ends in this process. */
  readonly isLocal = true;
  /** Nothing waits: a channel takes what it is given, or loses it. */
  readonly waiting = 0;
  /** A thread takes messages of any length. */
  readonly messageLimit: number = Infinity;
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Map<string, Set<(message: Uint8Array) => void>>();

  /** The bus of this name: the same for all workers that are to share rooms. */
  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = tasks.guard(({ data }: MessageEvent<[string, Uint8Array]>) => {
      const [topic, message] = data;
      for (const hear of this.#listeners.get(topic) ?? []) hear(message);
    });
  }

  /** Hands a message to the other workers. */
  publish(topic: Topic, message: Uint8Array): boolean {
    this.#channel.postMessage([keyOf(topic), message]);
    return true;
  }

  /** Listens to a topic. */
  subscribe(topic: Topic, hear: (message: Uint8Array) => void): Disposable {
    const key = keyOf(topic);
    const ears = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, ears.add(hear));
    return {
      [Symbol.dispose]: () => {
        ears.delete(hear);
        if (ears.size === 0) this.#listeners.delete(key);
      },
    };
  }

  /** Says that messages get through: within a process, they always do. */
  watch({ changed }: BusWatcher): void {
    changed({ state: "up", at: "this process" });
  }

  /** Resolves at once. */
  caughtUp(): Promise<void> {
    return Promise.resolve();
  }

  /** Leaves. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#channel.close();
    return Promise.resolve();
  }
}

function keyOf(topic: Topic): string {
  return JSON.stringify(topic);
}
