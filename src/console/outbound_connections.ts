/**
 * Every attempt that was made from the console, as many as are remembered.
 *
 * @module
 */
import { OutboundConnection, type OutboundRequest } from "./outbound_connection.ts";
import { HttpError } from "./http_error.ts";

/** The most that may be open at the same time, and that are remembered in all. */
const LIMIT = { open: 32, kept: 64 };

/** Remembers attempts until it is disposed, which hangs up on all of them. */
export class OutboundConnections implements AsyncDisposable {
  readonly #dialled = new Map<number, OutboundConnection>();
  #last = 0;

  /** All that are remembered, the oldest first. */
  get all(): readonly OutboundConnection[] {
    return [...this.#dialled.values()];
  }

  /**
   * Begins an attempt.
   *
   * @throws {HttpError} with status 409 where too many are open
   */
  dial(dialling: OutboundRequest): OutboundConnection {
    if (this.all.filter(({ over }) => !over).length >= LIMIT.open) {
      throw new HttpError(409, `${LIMIT.open} connections are open from here: close one of them`);
    }
    const dialled = new OutboundConnection(dialling, { id: ++this.#last });
    this.#dialled.set(dialled.id, dialled);
    for (const { id } of this.all.filter(({ over }) => over).slice(0, -LIMIT.kept)) {
      this.#dialled.delete(id);
    }
    return dialled;
  }

  /**
   * The attempt of this number.
   *
   * @throws {HttpError} with status 404
   */
  get(id: number): OutboundConnection {
    const dialled = this.#dialled.get(id);
    if (dialled) return dialled;
    throw new HttpError(404, `there is no client ${id}, or it is not remembered any more`);
  }

  /** Forgets an attempt, and hangs up on it. */
  forget(id: number): void {
    this.get(id).close();
    this.#dialled.delete(id);
  }

  /** Hangs up on all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((dialled) => dialled[Symbol.asyncDispose]()));
  }
}
