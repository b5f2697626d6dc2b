/**
 * A server's events as an async iterable.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { OutletEvent } from "../events/events.ts";

/** The events of this name, or of one of these names. */
export type EventOf<Name extends OutletEvent["event"]> = Extract<OutletEvent, { event: Name }>;

/** The most events that wait to be read. */
const MAX_WAITING = 10_000;

/** Which events are collected, and who hears that no more are. */
export interface EventStreamOptions<Event extends OutletEvent> {
  /** Where they are published. */
  readonly eventBus: EventBus;
  /** Whether it is one of them. */
  accepts(event: OutletEvent): event is Event;
  /** Called when it takes no more. */
  ended(): void;
}

/** The events of one server from now on, in order. It ends when the server has stopped and all are read. */
export class EventStream<Event extends OutletEvent> implements AsyncIterableIterator<Event> {
  readonly #waiting: Event[] = [];
  readonly #subscription: Disposable;
  readonly #ended: () => void;
  #wanted: PromiseWithResolvers<void> | undefined;
  #isOver = false;
  #overflowed = false;

  /** Collects the events that are accepted, from now on. */
  constructor({ eventBus, accepts, ended }: EventStreamOptions<Event>) {
    this.#ended = ended;
    this.#subscription = eventBus.subscribe((event) => {
      if (accepts(event)) this.#take(event);
    });
  }

  /** Takes no more events: what waits can still be read. */
  end(): void {
    this.#subscription[Symbol.dispose]();
    this.#isOver = true;
    this.#wanted?.resolve();
    this.#ended();
  }

  /**
   * The next event.
   *
   * @throws {Error} where more than 10,000 events waited to be read; those are read first
   */
  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.#waiting.length === 0) {
      if (this.#overflowed) {
        this.#overflowed = false;
        throw new Error(`events: more than ${MAX_WAITING} waited to be read, and the rest is lost`);
      }
      if (this.#isOver) return { done: true, value: undefined };
      this.#wanted ??= Promise.withResolvers();
      await this.#wanted.promise;
    }
    return { done: false, value: this.#waiting.shift()! };
  }

  /** Ends it: nothing that waits is read any more. */
  return(): Promise<IteratorResult<Event, undefined>> {
    this.#waiting.length = 0;
    this.#overflowed = false;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #take(event: Event): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#overflowed = true;
      return this.end();
    }
    this.#waiting.push(event);
    this.#wanted?.resolve();
    this.#wanted = undefined;
  }
}
