/**
 * Server-sent events for one reader. A reader that is too slow is disconnected, and may reconnect
 * and ask for what it missed.
 *
 * @module
 */

import { httpCounts } from "../transport/http_counts.ts";

/** The maximum number of buffered bytes for a reader. */
const LIMIT = 1024 * 1024;

const encoder = new TextEncoder();

/** A server-sent event. */
export interface Message {
  /** Its type; by default `message`. */
  readonly event?: string;
  /** Its ID, which a reconnecting reader sends as `Last-Event-ID`. */
  readonly id?: string;
  /** JSON on one line. */
  readonly data: string;
}

/** The stream of one response. */
export class EventStream implements Disposable {
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #ending = new DisposableStack();
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  /** An empty stream. */
  constructor() {
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#ending.dispose(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: LIMIT }));
  }

  /** Disposes the resource when the stream ends. */
  use(resource: Disposable): void {
    this.#ending.use(resource);
  }

  /** Whether the buffer has room. */
  get flows(): boolean {
    return (this.#controller.desiredSize ?? 0) > LIMIT / 2;
  }

  /** Sends a message, or ends the stream if too much is buffered. */
  send({ event, id, data }: Message): void {
    if (this.#ending.disposed) return;
    if ((this.#controller.desiredSize ?? 0) <= 0) {
      httpCounts.streamsDropped++;
      this.#controller.error(new Error("the reader does not keep up"));
      return this.#ending.dispose();
    }
    const lines = [event && `event: ${event}`, id && `id: ${id}`, `data: ${data}`];
    this.#controller.enqueue(encoder.encode(lines.filter(Boolean).join("\n") + "\n\n"));
  }

  /** Ends the stream. */
  [Symbol.dispose](): void {
    if (this.#ending.disposed) return;
    this.#controller.close();
    this.#ending.dispose();
  }
}
