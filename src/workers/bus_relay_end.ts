/**
 * One worker at the bus, as the supervisor sees it: what it listens to, what waits for the bus, and for the worker.
 *
 * @module
 */
import type { Bus, BusState, Topic } from "../chat/bus/bus.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import type { BusNews, OutgoingMessage } from "./relayed_bus.ts";

/** Bytes that may be on their way to a worker before what comes for it is let go: it asks for it again. */
const WINDOW = 1024 * 1024;

const tasks = new TaskScope("telling a worker of the bus", {
  without: "it asks again for what it misses",
});

/** Who is told of the bus: a worker. */
export interface BusListener {
  /** Tells it something; settles once it has taken it in, or is gone. */
  request(name: "bus", news: BusNews): Promise<void>;
}

/** What a worker is joined to. */
export interface BusRelayEndOptions {
  /** The bus. */
  readonly bus: Bus;
  /** Sends a message; whether it need not wait any more. */
  send(message: OutgoingMessage): boolean;
  /** Told that a message was let go. */
  onDropped(): void;
}

/** A worker at the bus. Disposing it leaves the bus for it. */
export class BusRelayEnd implements Disposable {
  readonly #worker: BusListener;
  readonly #options: BusRelayEndOptions;
  readonly #subscriptions = new Map<string, Disposable>();
  /** What the bus could not take yet: no more than the window that the worker keeps to. */
  #queue: OutgoingMessage[] = [];
  #onTheWay = 0;

  /** A worker that listens to nothing yet. */
  constructor(worker: BusListener, options: BusRelayEndOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  /** Listens to a topic for it. */
  subscribe(topic: Topic): void {
    const { bus } = this.#options;
    this.unsubscribe(topic);
    this.#subscriptions.set(
      JSON.stringify(topic),
      bus.subscribe(topic, (message) => this.#deliver(topic, message)),
    );
  }

  /** Listens no more. */
  unsubscribe(topic: Topic): void {
    const key = JSON.stringify(topic);
    this.#subscriptions.get(key)?.[Symbol.dispose]();
    this.#subscriptions.delete(key);
  }

  /** Hands a message to the bus, after those that wait for it. */
  send(message: OutgoingMessage): void {
    this.#queue.push(message);
    if (this.#queue.length === 1) this.flush();
  }

  /** Hands to the bus what it takes of what waits, and confirms that once the bus has confirmed it. */
  flush(): void {
    const { bus, send } = this.#options;
    const kept = this.#queue.findIndex((message) => !send(message));
    const sent = this.#queue.splice(0, kept < 0 ? Infinity : kept);
    if (sent.length === 0) return;
    const bytes = sent.reduce((sum, { message }) => sum + message.length, 0);
    tasks.run(
      bus.caughtUp().then(() => this.tell({ what: "confirmed", bytes, limit: bus.messageLimit })),
    );
  }

  /** Tells it whether messages get through. */
  tellState(state: BusState): void {
    this.tell({ what: "state", state, limit: this.#options.bus.messageLimit });
  }

  /** Tells it something that is not let go. */
  tell(news: BusNews): void {
    handledElsewhere(this.#worker.request("bus", news));
  }

  /** Leaves the bus. */
  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions.values()) subscription[Symbol.dispose]();
    this.#subscriptions.clear();
    this.#queue = [];
  }

  #deliver(topic: Topic, bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.#onTheWay + length > WINDOW) return this.#options.onDropped();
    this.#onTheWay += length;
    // A copy of its own: a part of a larger buffer would be sent with all of it.
    const taken = this.#worker.request("bus", { what: "message", topic, message: bytes.slice() });
    const arrived = () => void (this.#onTheWay -= length);
    tasks.run(taken.then(arrived, arrived));
  }
}
