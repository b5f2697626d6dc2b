/**
 * The bus in a worker. Only the supervisor is connected to it, and relays messages.
 *
 * @module
 */
import type { Archive, Bus, BusState, BusWatcher, Topic } from "../chat/bus/bus.ts";

/** A call from a worker to the supervisor. */
export type BusCall =
  | { readonly what: "attach" }
  | { readonly what: "subscribe" | "unsubscribe"; readonly topic: Topic }
  | OutgoingMessage
  /** Requests the archived messages of a topic; without a topic, whether there is an archive. */
  | { readonly what: "recall"; readonly number: number; readonly topic?: Topic };

/** A message to publish or to archive. It is confirmed once the bus has taken it. */
export interface OutgoingMessage {
  /** Whether it is published or archived. */
  readonly what: "publish" | "keep";
  /** The topic. */
  readonly topic: Topic;
  /** The payload. */
  readonly message: Uint8Array;
}

/** News of the bus from the supervisor to a worker. */
export type BusNews =
  | { readonly what: "state"; readonly state: BusState; readonly limit: number }
  | { readonly what: "message"; readonly topic: Topic; readonly message: Uint8Array }
  /** So many bytes were sent or dropped, and no longer count against the worker's window. */
  | { readonly what: "confirmed"; readonly bytes: number; readonly limit: number }
  /** The answer to a recall; `messages` is `undefined` without an archive. */
  | {
    readonly what: "recalled";
    readonly number: number;
    readonly messages: readonly Uint8Array[] | undefined;
  };

/** The most unconfirmed bytes before `publish` returns `false`. */
const WINDOW = 1024 * 1024;

/** A {@linkcode Bus} over the supervisor's connection, with the same state. */
export class RelayedBus implements Bus {
  /** The name for users. */
  readonly name: string;
  /** Whether it is limited to this process. */
  readonly isLocal = false;
  readonly #call: (call: BusCall) => void;
  readonly #listeners = new Map<string, Set<(message: Uint8Array) => void>>();
  readonly #recalls = new Map<number, (messages: readonly Uint8Array[] | undefined) => void>();
  #lastRecall = 0;
  #watcher: BusWatcher | undefined;
  #state: BusState = { state: "down", reason: "connecting" };
  #limit = Infinity;
  #waiting = 0;
  #caughtUp: PromiseWithResolvers<void> | undefined;

  /** The bus of this name; `call` sends a call to the supervisor. */
  constructor(name: string, call: (call: BusCall) => void) {
    this.name = name;
    this.#call = call;
    call({ what: "attach" });
  }

  /** Bytes that are not confirmed. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The maximum payload of a message, in bytes. */
  get messageLimit(): number {
    return this.#limit;
  }

  /** Sends a message to the supervisor, which publishes it. */
  publish(topic: Topic, message: Uint8Array): boolean {
    return this.#send({ what: "publish", topic, message });
  }

  /** Subscribes to a topic. */
  subscribe(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    const key = keyOf(topic);
    const listeners = this.#listeners.get(key) ?? new Set();
    if (listeners.size === 0) this.#call({ what: "subscribe", topic });
    this.#listeners.set(key, listeners.add(onMessage));
    return {
      [Symbol.dispose]: () => {
        if (!listeners.delete(onMessage) || listeners.size > 0) return;
        this.#listeners.delete(key);
        this.#call({ what: "unsubscribe", topic });
      },
    };
  }

  /** Calls the watcher on changes of the state. */
  watch(watcher: BusWatcher): void {
    this.#watcher = watcher;
    if (this.#state.state === "up") watcher.changed(this.#state);
  }

  /** Resolves when all messages are confirmed. */
  caughtUp(): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    this.#caughtUp ??= Promise.withResolvers();
    return this.#caughtUp.promise;
  }

  /** Returns the archive of the bus, if it has one. */
  async archive(): Promise<Archive | undefined> {
    if (await this.#recall() === undefined) return undefined;
    return {
      add: (topic, message) => this.#send({ what: "keep", topic, message }),
      recall: async (topic) => [...await this.#recall(topic) ?? []],
    };
  }

  /** Handles news from the supervisor. */
  receive(news: BusNews): void {
    switch (news.what) {
      case "state":
        this.#limit = news.limit;
        this.#state = news.state;
        return this.#watcher?.changed(news.state);
      case "message":
        for (const onMessage of this.#listeners.get(keyOf(news.topic)) ?? []) {
          onMessage(news.message);
        }
        return;
      case "confirmed":
        this.#limit = news.limit;
        return this.#confirm(news.bytes);
      case "recalled":
        this.#recalls.get(news.number)?.(news.messages);
        this.#recalls.delete(news.number);
    }
  }

  /** Removes the watcher; messages already sent are still published. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#watcher = undefined;
    return Promise.resolve();
  }

  #send(call: OutgoingMessage): boolean {
    if (this.#state.state === "down" || this.#waiting > WINDOW) return false;
    this.#waiting += call.message.length;
    this.#call(call);
    return true;
  }

  #confirm(bytes: number): void {
    const wasFull = this.#waiting > WINDOW;
    this.#waiting -= bytes;
    if (this.#waiting === 0) {
      this.#caughtUp?.resolve();
      this.#caughtUp = undefined;
    }
    if (wasFull && this.#waiting <= WINDOW) this.#watcher?.changed(this.#state);
  }

  #recall(topic?: Topic): Promise<readonly Uint8Array[] | undefined> {
    const number = ++this.#lastRecall;
    const answer = Promise.withResolvers<readonly Uint8Array[] | undefined>();
    this.#recalls.set(number, answer.resolve);
    this.#call({ what: "recall", number, ...topic && { topic } });
    return answer.promise;
  }
}

function keyOf(topic: Topic): string {
  return JSON.stringify(topic);
}
