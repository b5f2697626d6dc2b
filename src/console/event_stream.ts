/**
 * Server-sent events to one reader. One that does not keep up is dropped; it may come back and ask for
 * what it missed.
 *
 * @module
 */

import { httpCounts } from "../transport/http_counts.ts";

/** Bytes that may wait for the reader before it is dropped. */
const LIMIT = 1024 * 1024;

const encoder = new TextEncoder();

/** What is sent. */
export interface Message {
  /** What it is about; without it, `message`. */
  readonly event?: string;
  /** What a reader that comes back gives as `Last-Event-ID`. */
  readonly id?: string;
  /** JSON, on one line. */
  readonly data: string;
}

/** An event stream that is being answered. */
export class EventStream implements Disposable {
  /** The body of the answer. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #ending = new DisposableStack();
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  /** A stream that no one reads yet. */
  constructor() {
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => this.#ending.dispose(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: LIMIT }));
  }

  /** Disposes it when the stream has ended, whoever ended it. */
  use(resource: Disposable): void {
    this.#ending.use(resource);
  }

  /** Whether the reader takes what is sent, for now. */
  get flows(): boolean {
    return (this.#controller.desiredSize ?? 0) > LIMIT / 2;
  }

  /** Sends a message, or drops a reader for whom too much waits already. */
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

  /** Ends it. */
  [Symbol.dispose](): void {
    if (this.#ending.disposed) return;
    this.#controller.close();
    this.#ending.dispose();
  }
}
