/**
 * What comes from a bus, which brings what gathered somewhere all at once: a megabyte after an outage, say.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";

const tasks = new TaskScope("reading messages from the bus", {
  without: "missing messages are requested again",
});

/** Bytes that are taken before whoever they are for gets a moment to read them. */
const PAUSE_AFTER = 32 * 1024;

/** Bytes that may wait for that moment to pass. */
const LIMIT = 1024 * 1024;

/** Takes messages in order, at the pace of those who read them. */
export class ReceiveQueue implements Disposable {
  readonly #deliver: (message: Uint8Array) => void;
  readonly #pause: () => Promise<void>;
  readonly #queue: Uint8Array[] = [];
  #waiting = 0;
  /** Bytes since the last pause. */
  #delivered = 0;
  #pausing = false;

  /** `pause` resolves when more can be taken, or soon in any case. */
  constructor(take: (message: Uint8Array) => void, pause: () => Promise<void>) {
    this.#deliver = take;
    this.#pause = pause;
  }

  /** Takes a message, now or after a pause. One that finds no room is let go: who sent it keeps it, and is asked. */
  put(message: Uint8Array): void {
    if (!this.#pausing) return this.#deliverNow(message);
    if (this.#waiting + message.length > LIMIT) return;
    this.#waiting += message.length;
    this.#queue.push(message);
  }

  /** Lets go of what waits. */
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
    await this.#pause();
    await nextTurn();
    this.#pausing = false;
    this.#delivered = 0;
    while (!this.#pausing && this.#queue.length > 0) {
      const message = this.#queue.shift()!;
      this.#waiting -= message.length;
      this.#deliverNow(message);
    }
  }
}
