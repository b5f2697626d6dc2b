/**
 * Backpressure from the members of a room: how long senders wait for slow consumers.
 *
 * @module
 */
import type { EndReason } from "../connection/end_reason.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("waiting for a slow consumer", { consequence: "senders wait for it" });

/** A receiver with a queue. */
export interface Consumer {
  /** Bytes that are queued. */
  readonly waiting: number;
  /** Resolves when the queue has been drained. */
  caughtUp(): Promise<void>;
}

/** The connection of a member. */
export interface Subscriber extends Consumer {
  /** Whether it is closed. */
  readonly isClosed: boolean;
  /** Queues lines, each with its newline; never blocks. */
  send(lines: Uint8Array): void;
  /** Disconnects the member, with the reason. */
  disconnect(reason: EndReason): void;
}

/** The queued bytes above which a consumer is slow. */
const HIGH_WATER_MARK = 64 * 1024;

/** How long a slow consumer is waited for, at once and until it catches up, in milliseconds. */
const SLOW_CONSUMER_WAIT = { once: 50, all: 1_000 };

/** Slows senders to the pace of consumers; one that does not read costs them a second in all. */
export class SlowConsumerPolicy {
  /** The time spent waiting for each, in milliseconds. */
  readonly #spent = new WeakMap<Consumer, number>();

  /** Resolves when no consumer is slow, or after the longest wait. */
  async waitFor(consumers: Iterable<Consumer>): Promise<void> {
    const slow = [...consumers].filter((consumer) => this.isSlow(consumer));
    if (slow.length === 0) return;
    const { promise: expired, resolve } = Promise.withResolvers<"expired">();
    const timer = setTimeout(tasks.guard(() => resolve("expired")), SLOW_CONSUMER_WAIT.once);
    const caughtUp = Promise.all(slow.map((consumer) => consumer.caughtUp()));
    const first = await Promise.race([caughtUp, expired]).finally(() => clearTimeout(timer));
    if (first !== "expired") return;
    for (const consumer of slow) {
      this.#spent.set(consumer, (this.#spent.get(consumer) ?? 0) + SLOW_CONSUMER_WAIT.once);
    }
  }

  /** Whether a consumer is slow and senders still wait for it. */
  isSlow(consumer: Consumer): boolean {
    if (consumer.waiting > HIGH_WATER_MARK) {
      return (this.#spent.get(consumer) ?? 0) < SLOW_CONSUMER_WAIT.all;
    }
    this.#spent.delete(consumer);
    return false;
  }
}
