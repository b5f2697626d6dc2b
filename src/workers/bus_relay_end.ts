/**
 * One worker's attachment to the bus in the supervisor: its subscriptions and its queues.
 *
 * @module
 */
import type { Bus, BusState, Topic } from "../chat/bus/bus.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import type { BusNews, OutgoingMessage } from "./relayed_bus.ts";

/** The most bytes in flight to a worker. Messages beyond it are dropped. */
const WINDOW = 1024 * 1024;

const tasks = new TaskScope("sending messages of the bus to a worker", {
  consequence: "the worker requests missing messages again",
});

/** A receiver of bus news: a worker. */
export interface BusListener {
  /** Sends news; settles once it was handled, or the worker has ended. */
  request(name: "bus", news: BusNews): Promise<void>;
}

/** Options of {@linkcode BusRelayEnd}. */
export interface BusRelayEndOptions {
  /** The bus. */
  readonly bus: Bus;
  /** Sends a message; `false` if it has to wait. */
  send(message: OutgoingMessage): boolean;
  /** Called when a message was dropped. */
  onDropped(): void;
}

/** A worker's attachment to the bus. Disposing it ends its subscriptions. */
export class BusRelayEnd implements Disposable {
  readonly #worker: BusListener;
  readonly #options: BusRelayEndOptions;
  readonly #subscriptions = new Map<string, Disposable>();
  /** Messages that the bus could not take yet, limited by the worker's own window. */
  #queue: OutgoingMessage[] = [];
  #inFlight = 0;

  /** An attachment without subscriptions. */
  constructor(worker: BusListener, options: BusRelayEndOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  /** Subscribes to a topic. */
  subscribe(topic: Topic): void {
    const { bus } = this.#options;
    this.unsubscribe(topic);
    this.#subscriptions.set(
      JSON.stringify(topic),
      bus.subscribe(topic, (message) => this.#deliver(topic, message)),
    );
  }

  /** Unsubscribes from a topic. */
  unsubscribe(topic: Topic): void {
    const key = JSON.stringify(topic);
    this.#subscriptions.get(key)?.[Symbol.dispose]();
    this.#subscriptions.delete(key);
  }

  /** Sends a message to the bus, after those that are queued. */
  send(message: OutgoingMessage): void {
    this.#queue.push(message);
    if (this.#queue.length === 1) this.flush();
  }

  /** Sends queued messages as far as the bus takes them, and confirms them once the bus has. */
  flush(): void {
    const { bus, send } = this.#options;
    const firstUnsent = this.#queue.findIndex((message) => !send(message));
    const sent = this.#queue.splice(0, firstUnsent < 0 ? Infinity : firstUnsent);
    if (sent.length === 0) return;
    const bytes = sent.reduce((sum, { message }) => sum + message.length, 0);
    tasks.run(
      bus.caughtUp().then(() => this.notify({ what: "confirmed", bytes, limit: bus.messageLimit })),
    );
  }

  /** Sends the state of the bus to the worker. */
  sendState(state: BusState): void {
    this.notify({ what: "state", state, limit: this.#options.bus.messageLimit });
  }

  /** Sends news that is never dropped. */
  notify(news: BusNews): void {
    handledElsewhere(this.#worker.request("bus", news));
  }

  /** Ends all subscriptions and clears the queue. */
  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions.values()) subscription[Symbol.dispose]();
    this.#subscriptions.clear();
    this.#queue = [];
  }

  #deliver(topic: Topic, bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.#inFlight + length > WINDOW) return this.#options.onDropped();
    this.#inFlight += length;
    // Copied, because posting a view would clone the whole buffer under it.
    const taken = this.#worker.request("bus", { what: "message", topic, message: bytes.slice() });
    const arrived = () => void (this.#inFlight -= length);
    tasks.run(taken.then(arrived, arrived));
  }
}
