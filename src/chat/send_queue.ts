/**
 * The send queue of one member of a room.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import type { Connection } from "../connection/connection.ts";

/** The most bytes in the queue; beyond it, the member is disconnected. */
export const SEND_QUEUE_LIMIT = 256 * 1024;

/** The most bytes that are combined into one write. */
const WRITE_SIZE = 64 * 1024;

/** A bounded send queue. Posting never blocks; a peer that does not read is disconnected. */
export class SendQueue implements AsyncDisposable {
  readonly #connection: Connection;
  #queue: Uint8Array[] = [];
  #waiting = 0;
  #sending: Promise<void> | undefined;

  /** A queue for this connection, and its only writer. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Bytes that are not flushed to the kernel. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the connection is closed. */
  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** Queues bytes without copying them. Beyond the limit, the connection is closed. */
  post(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.#waiting += bytes.length;
    if (this.#waiting > SEND_QUEUE_LIMIT) {
      this.#connection.close(`error: slow consumer, ${SEND_QUEUE_LIMIT >> 10} KiB queued`);
      return;
    }
    this.#queue.push(bytes);
    this.#sending ??= this.#send();
  }

  /** Resolves when the queue is empty or the connection closed. */
  async sent(): Promise<void> {
    await this.#sending;
  }

  /** Waits until the queue is empty or the connection closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.sent();
  }

  /** Takes the next write: one long post, or several short ones combined. */
  #take(): Uint8Array {
    const first = this.#queue[0]!;
    let count = 1;
    for (let size = first.length; count < this.#queue.length; count++) {
      size += this.#queue[count]!.length;
      if (size > WRITE_SIZE) break;
    }
    const posts = this.#queue.splice(0, count);
    return posts.length === 1 ? first : concat(posts);
  }

  async #send(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = this.#take();
        await this.#connection.write(batch);
        this.#waiting -= batch.length;
      }
    } catch {
      this.#connection.close("peer reset");
    } finally {
      this.#queue = [];
      this.#sending = undefined;
    }
  }
}
