/**
 * The queue of messages received from a bus, which can bring a megabyte at once after an outage.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";

const tasks = new TaskScope("reading messages from the bus", {
  consequence: "missing messages are requested again",
});

/** Bytes that are delivered between two pauses. */
const PAUSE_AFTER = 32 * 1024;

/** The most bytes that are queued during a pause. */
const LIMIT = 1024 * 1024;

/** Delivers messages in order, at the pace of their consumers. */
export class ReceiveQueue implements Disposable {
  readonly #deliver: (message: Uint8Array) => void;
  readonly #pause: () => Promise<void>;
  readonly #queue: Uint8Array[] = [];
  #waiting = 0;
  /** Bytes delivered since the last pause. */
  #delivered = 0;
  #pausing = false;

  /** `pause` resolves when more can be delivered, or after the longest wait. */
  constructor(deliver: (message: Uint8Array) => void, pause: () => Promise<void>) {
    this.#deliver = deliver;
    this.#pause = pause;
  }

  /** Delivers a message, now or after a pause. Beyond the limit, it is dropped. */
  receive(message: Uint8Array): void {
    if (!this.#pausing) return this.#deliverNow(message);
    if (this.#waiting + message.length > LIMIT) return;
    this.#waiting += message.length;
    this.#queue.push(message);
  }

  /** Clears the queue. */
  [Symbol.dispose](): void {
    this.#queue.length = 0;
    this.#waiting = 0;
  }

  #deliverNow(message: Uint8Array): void {
    this.#deliver(message);
    this.#delivered += message.length;
    if (this.#delivered >= PAUSE_AFTER) tasks.run(this.#drain());
  }

  async #drain(): Promise<void> {
    this.#pausing = true;
    await Promise.all([this.#pause(), nextTurn()]);
    this.#pausing = false;
    this.#delivered = 0;
    while (!this.#pausing && this.#queue.length > 0) {
      const message = this.#queue.shift()!;
      this.#waiting -= message.length;
      this.#deliverNow(message);
    }
  }
}
