/**
 * A server's events as an async iterable.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { OutletEvent } from "../events/events.ts";

/** The events of this name, or of one of these names. */
export type EventOf<Name extends OutletEvent["event"]> = Extract<OutletEvent, { event: Name }>;

/** The most buffered events. */
const MAX_WAITING = 10_000;

/** Which events a stream has. */
export interface EventStreamOptions<Event extends OutletEvent> {
  /** Where events are published. */
  readonly eventBus: EventBus;
  /** Whether the stream includes an event. */
  accepts(event: OutletEvent): event is Event;
  /** Called when the stream is closed. */
  ended(): void;
}

/** The events of a server, in order, from its creation until the server has stopped. */
export class EventStream<Event extends OutletEvent> implements AsyncIterableIterator<Event> {
  readonly #waiting: Event[] = [];
  readonly #subscription: Disposable;
  readonly #ended: () => void;
  #available: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  #overflowed = false;

  /** Subscribes to the events. */
  constructor({ eventBus, accepts, ended }: EventStreamOptions<Event>) {
    this.#ended = ended;
    this.#subscription = eventBus.subscribe((event) => {
      if (accepts(event)) this.#push(event);
    });
  }

  /** Closes the stream; buffered events can still be read. */
  end(): void {
    this.#subscription[Symbol.dispose]();
    this.#isClosed = true;
    this.#available?.resolve();
    this.#ended();
  }

  /**
   * Reads the next event.
   *
   * @throws {Error} after 10,000 buffered events, where more were lost
   */
  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.#waiting.length === 0) {
      if (this.#overflowed) {
        this.#overflowed = false;
        throw new Error(`events: more than ${MAX_WAITING} were not read in time, the rest is lost`);
      }
      if (this.#isClosed) return { done: true, value: undefined };
      this.#available ??= Promise.withResolvers();
      await this.#available.promise;
    }
    return { done: false, value: this.#waiting.shift()! };
  }

  /** Closes the stream and discards buffered events. */
  return(): Promise<IteratorResult<Event, undefined>> {
    this.#waiting.length = 0;
    this.#overflowed = false;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Returns itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closes the stream. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #push(event: Event): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#overflowed = true;
      return this.end();
    }
    this.#waiting.push(event);
    this.#available?.resolve();
    this.#available = undefined;
  }
}
