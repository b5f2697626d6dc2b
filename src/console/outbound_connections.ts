/**
 * The outbound connections of the console.
 *
 * @module
 */
import { OutboundConnection, type OutboundRequest } from "./outbound_connection.ts";
import { HttpError } from "./http_error.ts";

/** The maximum numbers of open connections and of all connections, ended ones included. */
const LIMIT = { open: 32, total: 64 };

/** Keeps outbound connections. Disposing it closes all of them. */
export class OutboundConnections implements AsyncDisposable {
  readonly #connections = new Map<number, OutboundConnection>();
  #last = 0;

  /** All connections, the oldest first. */
  get all(): readonly OutboundConnection[] {
    return [...this.#connections.values()];
  }

  /**
   * Starts a connection.
   * @throws {HttpError} with status 409 if too many are open
   */
  dial(dialling: OutboundRequest): OutboundConnection {
    if (this.all.filter(({ isEnded }) => !isEnded).length >= LIMIT.open) {
      throw new HttpError(409, `${LIMIT.open} outbound connections are open: close one of them`);
    }
    const connection = new OutboundConnection(dialling, { id: ++this.#last });
    this.#connections.set(connection.id, connection);
    for (const { id } of this.all.filter(({ isEnded }) => isEnded).slice(0, -LIMIT.total)) {
      this.#connections.delete(id);
    }
    return connection;
  }

  /**
   * The connection with this number.
   * @throws {HttpError} with status 404
   */
  get(id: number): OutboundConnection {
    const connection = this.#connections.get(id);
    if (connection) return connection;
    throw new HttpError(404, `there is no client ${id}, or it is no longer kept`);
  }

  /** Closes a connection and removes it. */
  forget(id: number): void {
    this.get(id).close();
    this.#connections.delete(id);
  }

  /** Closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((connection) => connection[Symbol.asyncDispose]()));
  }
}
