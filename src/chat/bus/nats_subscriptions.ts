/**
 * The subscriptions of a NATS connection: one for each subject, with any number of listeners.
 *
 * @module
 */
import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import type { Topic } from "./bus.ts";
import { subjectOf } from "./nats_subject.ts";

/** One subject and its listeners. */
interface NatsSubscription {
  readonly subject: string;
  readonly listeners: Set<(message: Uint8Array) => void>;
  subscription?: Subscription | undefined;
}

/** Subscriptions that are kept over several connections. */
export class NatsSubscriptions {
  readonly #bySubject = new Map<string, NatsSubscription>();
  #connection: NatsConnection | undefined;

  /** Subscribes to a topic, now or as soon as there is a connection. */
  add(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    const subject = subjectOf(topic);
    const entry = this.#bySubject.get(subject) ?? this.#subscribe(subject);
    // A new function, because the same one may be added twice.
    const listener = (message: Uint8Array) => onMessage(message);
    entry.listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
        this.#bySubject.delete(subject);
        if (!this.#connection?.isClosed()) entry.subscription?.unsubscribe();
      },
    };
  }

  /**
   * Subscribes on a new connection, or on none.
   *
   * @internal
   */
  moveTo(connection: NatsConnection | undefined): void {
    this.#connection = connection;
    for (const entry of this.#bySubject.values()) this.#listen(entry);
  }

  /** Repeats subscriptions that the server has closed, because permissions may have changed. */
  renew(): void {
    for (const entry of this.#bySubject.values()) {
      if (entry.subscription?.isClosed()) this.#listen(entry);
    }
  }

  #subscribe(subject: string): NatsSubscription {
    const entry: NatsSubscription = { subject, listeners: new Set() };
    this.#bySubject.set(subject, entry);
    this.#listen(entry);
    return entry;
  }

  #listen(entry: NatsSubscription): void {
    entry.subscription = this.#connection?.subscribe(entry.subject, {
      callback: (error, { data }) => {
        if (error) return;
        for (const onMessage of entry.listeners) onMessage(data);
      },
    });
  }
}
