/**
 * A worker's end of the bus. The supervisor alone is on the bus; workers reach it through their messages.
 *
 * @module
 */
import type { Archive, Bus, BusState, BusWatcher, Topic } from "../chat/bus/bus.ts";

/** What a worker wants of the bus. */
export type BusCall =
  | { readonly what: "attach" }
  | { readonly what: "subscribe" | "unsubscribe"; readonly topic: Topic }
  | OutgoingMessage
  /** What the archive has of a topic; without a topic, whether there is an archive. */
  | { readonly what: "recall"; readonly number: number; readonly topic?: Topic };

/** A message that is to be published, or kept by the archive: it is confirmed once the bus has taken it. */
export interface OutgoingMessage {
  /** What becomes of it. */
  readonly what: "publish" | "keep";
  /** What it is about. */
  readonly topic: Topic;
  /** Its bytes. */
  readonly message: Uint8Array;
}

/** What a worker is told of the bus. */
export type BusNews =
  | { readonly what: "state"; readonly state: BusState; readonly limit: number }
  | { readonly what: "message"; readonly topic: Topic; readonly message: Uint8Array }
  /** So many bytes of what was to be published are no business of the worker's any more. */
  | { readonly what: "confirmed"; readonly bytes: number; readonly limit: number }
  /** The answer to a recall; nothing, where there is no archive. */
  | {
    readonly what: "recalled";
    readonly number: number;
    readonly messages: readonly Uint8Array[] | undefined;
  };

/** Bytes that may be on their way to the supervisor before no more are taken. */
const WINDOW = 1024 * 1024;

/** The bus, as rooms in a worker see it: it is lost and comes back with the supervisor's connection. */
export class RelayedBus implements Bus {
  /** What people call it. */
  readonly name: string;
  /** It reaches other servers. */
  readonly isLocal = false;
  readonly #call: (call: BusCall) => void;
  readonly #listeners = new Map<string, Set<(message: Uint8Array) => void>>();
  readonly #recalls = new Map<number, (messages: readonly Uint8Array[] | undefined) => void>();
  #lastRecall = 0;
  #watcher: BusWatcher | undefined;
  #state: BusState = { state: "down", reason: "it is being connected to" };
  #limit = Infinity;
  #waiting = 0;
  #caughtUp: PromiseWithResolvers<void> | undefined;

  /** The bus of this name, which the supervisor is on; `call` tells it what is wanted. */
  constructor(name: string, call: (call: BusCall) => void) {
    this.name = name;
    this.#call = call;
    call({ what: "attach" });
  }

  /** Bytes that the bus has not confirmed. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The most bytes that the bus takes in a message. */
  get messageLimit(): number {
    return this.#limit;
  }

  /** Hands a message to the supervisor, which hands it on. */
  publish(topic: Topic, message: Uint8Array): boolean {
    return this.#send({ what: "publish", topic, message });
  }

  /** Listens to a topic. */
  subscribe(topic: Topic, hear: (message: Uint8Array) => void): Disposable {
    const key = keyOf(topic);
    const listeners = this.#listeners.get(key) ?? new Set();
    if (listeners.size === 0) this.#call({ what: "subscribe", topic });
    this.#listeners.set(key, listeners.add(hear));
    return {
      [Symbol.dispose]: () => {
        if (!listeners.delete(hear) || listeners.size > 0) return;
        this.#listeners.delete(key);
        this.#call({ what: "unsubscribe", topic });
      },
    };
  }

  /** Lets somebody know how the bus is. */
  watch(watcher: BusWatcher): void {
    this.#watcher = watcher;
    if (this.#state.state === "up") watcher.changed(this.#state);
  }

  /** Resolves when the bus has what it was handed. */
  caughtUp(): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    this.#caughtUp ??= Promise.withResolvers();
    return this.#caughtUp.promise;
  }

  /** What the bus remembers, where it does. */
  async archive(): Promise<Archive | undefined> {
    if (await this.#recall() === undefined) return undefined;
    return {
      add: (topic, message) => this.#send({ what: "keep", topic, message }),
      recall: async (topic) => [...await this.#recall(topic) ?? []],
    };
  }

  /** Takes in what the supervisor tells. */
  receive(news: BusNews): void {
    switch (news.what) {
      case "state":
        this.#limit = news.limit;
        this.#state = news.state;
        return this.#watcher?.changed(news.state);
      case "message":
        for (const hear of this.#listeners.get(keyOf(news.topic)) ?? []) hear(news.message);
        return;
      case "confirmed":
        this.#limit = news.limit;
        return this.#confirm(news.bytes);
      case "recalled":
        this.#recalls.get(news.number)?.(news.messages);
        this.#recalls.delete(news.number);
    }
  }

  /** Leaves: what was handed over goes on its way. */
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
