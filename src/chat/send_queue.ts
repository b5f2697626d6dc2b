/**
 * What waits to be sent to one member of a room.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import type { Connection } from "../connection/connection.ts";

/** Bytes that may wait for a member before it is cut off. */
export const SEND_QUEUE_LIMIT = 256 * 1024;

/** The most bytes that several posts are written in at once. */
const WRITE_SIZE = 64 * 1024;

/** A bounded queue in front of a connection: whoever posts never waits, whoever does not read is cut off. */
export class SendQueue implements AsyncDisposable {
  readonly #connection: Connection;
  #queue: Uint8Array[] = [];
  #waiting = 0;
  #sending: Promise<void> | undefined;

  /** A queue for this connection, which it alone writes to from now on. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Bytes that the kernel has not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the connection is closed. */
  get isGone(): boolean {
    return this.#connection.isClosed;
  }

  /** Puts bytes in the queue; they are not copied. Over the limit, the connection is cut. */
  post(bytes: Uint8Array): void {
    if (this.isGone) return;
    this.#waiting += bytes.length;
    if (this.#waiting > SEND_QUEUE_LIMIT) {
      this.#connection.close(`error: slow consumer, ${SEND_QUEUE_LIMIT >> 10} KiB queued`);
      return;
    }
    this.#queue.push(bytes);
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing waits any more, or the connection is gone. */
  async sent(): Promise<void> {
    await this.#sending;
  }

  /** Waits until all is sent, or the connection is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.sent();
  }

  /** What is written next: one long post, or several short ones together. */
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
