/**
 * The publish/subscribe interface between rooms of the same name. A bus may lose messages; rooms
 * request what they miss.
 *
 * @module
 */

/** The state of the connection. */
export type BusState =
  | { readonly state: "up"; readonly at: string }
  | { readonly state: "down"; readonly reason: string };

/** A hierarchical topic: tokens of any characters, the most general first. */
export type Topic = readonly string[];

/** Receives changes of a bus. */
export interface BusWatcher {
  /** Called with the state now and on changes; also with `up` when a full queue has drained. */
  changed(state: BusState): void;
  /** Called when the server denied a permission. */
  denied?(what: string): void;
}

/** A bus. Disposing it sends what is queued, if possible, and disconnects. */
export interface Bus extends AsyncDisposable {
  /** The name for users: `nats://127.0.0.1:4222`. */
  readonly name: string;
  /** Whether it is limited to this process, between its workers. */
  readonly isLocal: boolean;
  /** The maximum payload of a message, in bytes; it may change. */
  readonly messageLimit: number;
  /**
   * Publishes a message to all other subscribers of the topic; never blocks.
   *
   * @returns whether it was accepted; `false` while the bus is down or its queue is full
   */
  publish(topic: Topic, message: Uint8Array): boolean;
  /** Subscribes to a topic until the subscription is disposed. */
  subscribe(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable;
  /** Adds a watcher. */
  watch(watcher: BusWatcher): void;
  /** Bytes that were published and are not confirmed. */
  readonly waiting: number;
  /** Resolves when they are confirmed or the connection is lost. */
  caughtUp(): Promise<void>;
  /** Returns the archive, if the server offers one; absent if the bus has none. */
  archive?(): Promise<Archive | undefined>;
}

/** Stores the last messages of each topic. */
export interface Archive {
  /** Stores a message; whether it was accepted. Never blocks. */
  add(topic: Topic, message: Uint8Array): boolean;
  /** Returns the stored messages, in order. */
  recall(topic: Topic): Promise<Uint8Array[]>;
}
