/**
 * What carries messages between rooms of the same name. A bus may lose messages: what rooms have to say
 * to each other makes up for that.
 *
 * @module
 */

/** Whether messages get through. */
export type BusState =
  | { readonly state: "up"; readonly at: string }
  | { readonly state: "down"; readonly reason: string };

/** What messages are about: words of any characters, from the general to the particular. */
export type Topic = readonly string[];

/** Who is told how a bus is. */
export interface BusWatcher {
  /** Told at once, and from then on, whether messages get through; `up` also comes when it can follow again. */
  changed(state: BusState): void;
  /** Told what the bus does not let this server do. */
  denied?(what: string): void;
}

/** Publishes and subscribes. Disposing it sends what waits, if it can, and leaves. */
export interface Bus extends AsyncDisposable {
  /** What people call it: `nats://127.0.0.1:4222`. */
  readonly name: string;
  /** Whether it ends in this process, between its workers. */
  readonly isLocal: boolean;
  /** The most bytes that a message may have now: a bus may tell so again and again. */
  readonly messageLimit: number;
  /**
   * Hands a message to everyone else who listens to the topic; never waits.
   *
   * @returns whether it was taken; `false` while the bus is down, or cannot follow
   */
  publish(topic: Topic, message: Uint8Array): boolean;
  /** Listens to a topic until the subscription is disposed. */
  subscribe(topic: Topic, hear: (message: Uint8Array) => void): Disposable;
  /** Lets somebody know how it is. */
  watch(watcher: BusWatcher): void;
  /** Bytes that were published and have not arrived at the bus yet, as far as that is known. */
  readonly waiting: number;
  /** Resolves when they have, or never will. */
  caughtUp(): Promise<void>;
  /** What the bus remembers for rooms; absent where it can't. */
  archive?(): Promise<Archive | undefined>;
}

/** Keeps the last messages of a topic for those who come later. */
export interface Archive {
  /** Keeps a message, never waits; whether it was taken. */
  add(topic: Topic, message: Uint8Array): boolean;
  /** The last messages that were kept, in order. */
  recall(topic: Topic): Promise<Uint8Array[]>;
}
