/**
 * An outlet: a listening socket, the connections that it accepted, and the service that they get.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { AcceptHandler } from "./accept_loop.ts";
import type { Address } from "../endpoint/address.ts";
import { closeAll } from "../connection/close_all.ts";
import type { Connection } from "../connection/connection.ts";
import { Sweeper } from "../connection/deadlines.ts";
import { AcceptPipeline, type AdmittedConnection } from "./accept_pipeline.ts";
import { faultOf, isReset } from "../transport/errors.ts";
import { Admission } from "../admission/admission.ts";
import type { ByteStream } from "../transport/stream.ts";
import { OnlyClient } from "./only_client.ts";
import { OutletEvents } from "./outlet_events.ts";
import type { OutletSettings } from "./settings.ts";
import type { WelcomeSocket } from "./welcome_socket.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("the drain timeout of an outlet", {
  consequence: "its connections are not closed by the timeout",
});

const closing = new TaskScope("closing the socket of an outlet with once", {
  consequence: "later clients are refused",
});

/** What never changes about an outlet. */
export interface OutletOptions {
  /** Its id, unique in the life of the server. */
  readonly id: number;
  /** Its name in events, such as `echo`. Several outlets may have the same name. */
  readonly name: string;
  /** Its listening socket, which may serve another outlet before or after. */
  readonly socket: WelcomeSocket;
  /** Limits and access rules. Default: none. */
  readonly admission?: Admission;
  /** Receives its events. */
  readonly eventBus: EventBus;
  /** Returns the next connection id. Default: a counter of this thread. */
  readonly number?: (() => number) | undefined;
}

let lastConnection = 0;

/** Returns the next connection id of this thread. */
export function numberConnection(): number {
  return ++lastConnection;
}

/**
 * A service at an address. It accepts connections once {@linkcode serve} is called. Disposing it
 * stops it at once and cuts its connections.
 */
export class Outlet implements AcceptHandler, AsyncDisposable {
  /** Its id, unique in the life of the server. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** The address at which it is bound. */
  readonly address: Address;
  /** Limits and access rules. */
  readonly admission: Admission;

  #socket: WelcomeSocket;
  readonly #events: OutletEvents;
  readonly #stopping = new AbortController();
  /** Aborted when the grace is over. Connections that are admitted after that are aborted at once. */
  readonly #expired = new AbortController();
  readonly #stopped = Promise.withResolvers<number>();
  readonly #sessions = new Set<Promise<void>>();
  readonly #live = new Set<Connection>();
  readonly #pipeline: AcceptPipeline;
  #settings: OutletSettings | undefined;
  /** With `once`. */
  #only: OnlyClient | undefined;
  #sweeper = new Sweeper({});
  #isStopped = false;

  /** An outlet that does not accept connections yet. */
  constructor({ id, name, socket, eventBus, ...options }: OutletOptions) {
    const { admission = new Admission({}), number = numberConnection } = options;
    this.id = id;
    this.name = name;
    this.address = socket.address;
    this.admission = admission;
    this.#socket = socket;
    this.#events = new OutletEvents(eventBus, { id, outlet: name, address: socket.address });
    this.#pipeline = new AcceptPipeline({
      admission,
      number,
      signal: this.#expired.signal,
      refused: (peer, reason) => this.#events.refused(peer, reason),
      failed: (error) => this.onError(error, 0),
    });
  }

  /** Its open connections. */
  get connections(): Iterable<Connection> {
    return this.#live;
  }

  /** Aborted when the outlet starts to drain. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the outlet and all its connections are closed, to the number that were aborted. */
  get stopped(): Promise<number> {
    return this.#stopped.promise;
  }

  /** Whether the outlet and all its connections are closed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Its listening socket. */
  get socket(): WelcomeSocket {
    return this.#socket;
  }

  /** Closes its listening socket, unless another outlet has taken it over. */
  async socketClosed(): Promise<void> {
    if (this.#socket.serves(this)) await this.#socket.close();
  }

  /** Continues with another listening socket at the same address. */
  moveTo(socket: WelcomeSocket): void {
    this.#socket = socket;
    this.#setKeepAliveTimes();
    socket.serve(this);
  }

  /** Starts to accept connections. Called again, it changes the settings for new connections. */
  serve(settings: OutletSettings): void {
    const isFirst = this.#settings === undefined;
    this.#settings = settings;
    this.#only ??= settings.onServed && new OnlyClient();
    this.#sweeper = new Sweeper(settings.deadlines);
    this.#setKeepAliveTimes();
    if (!isFirst) return;
    this.#events.listening(settings);
    this.#socket.serve(this);
  }

  #setKeepAliveTimes(): void {
    try {
      this.#socket.setKeepAliveTimes(this.#settings?.keepAliveTimes);
    } catch (error) {
      this.#events.warned(error);
    }
  }

  /**
   * Drains the outlet: aborts the signal of its handlers, accepts what is in the kernel's accept
   * queue, closes the listening socket unless another outlet has taken it over, and gives
   * connections `grace` milliseconds before they are aborted. A second call can only shorten that.
   *
   * @returns the number of connections that were aborted
   */
  stop({ grace }: { grace: number }): Promise<number> {
    const timer = setTimeout(tasks.guard(() => this.#expired.abort()), grace);
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#drain().then(this.#stopped.resolve, this.#stopped.reject);
    }
    return this.stopped.finally(() => clearTimeout(timer));
  }

  /** Stops at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /**
   * With `when-full=defer`, waits until there is capacity for another connection; with `once`, until
   * the one in the pipeline is admitted or refused.
   */
  ready(): Promise<void> | undefined {
    if (this.#only) return this.#only.decided;
    return this.#settings?.whenFull === "defer"
      ? this.admission.waitForCapacity(this.#stopping.signal)
      : undefined;
  }

  /** Takes an accepted connection through the pipeline, and serves it. */
  onConnection(stream: ByteStream): void {
    if (this.#only?.isAdmitted) return this.#only.refuse(stream, this.#events);
    const accepting = this.#pipeline.accept(stream, this.#settings!);
    const admission = this.#only ? this.#only.consider(accepting) : accepting;
    const session = admission
      .then((admitted) => admitted && this.#serveConnection(admitted))
      .finally(() => this.#sessions.delete(session));
    this.#sessions.add(session);
  }

  /** Serves one connection. It is always closed and its permit released afterwards. */
  async #serveConnection(
    { connection, permit, handler }: AdmittedConnection,
  ): Promise<void> {
    using _permit = permit;
    using _closed = connection;
    using _deadlines = this.#sweeper.watch(connection);
    this.#live.add(connection);
    this.#events.opened(connection);
    if (this.#only) closing.run(this.socketClosed());
    if (this.#expired.signal.aborted) connection.close("drain timeout");
    try {
      await handler(connection, this.#stopping.signal);
      await connection.finish();
    } catch (error) {
      // A failed handler resets the connection, so that the client does not take it for a success.
      if (isReset(error)) connection.close("peer reset");
      else connection.reset(faultOf(error));
    }
    this.#live.delete(connection);
    this.#events.closed(connection);
    if (this.#only) this.#settings?.onServed?.(connection);
  }

  async #drain(): Promise<number> {
    using _pipeline = this.#pipeline;
    await this.socketClosed();
    const ended = Promise.all(this.#sessions);
    await Promise.race([ended, aborted(this.#expired.signal)]);
    this.#expired.abort();
    const abortedCount = this.#live.size;
    await closeAll(this.#live, "drain timeout");
    await ended;
    this.#isStopped = true;
    if (this.#settings) this.#events.stopped(abortedCount);
    return abortedCount;
  }

  /** Publishes that accepting a connection failed, and that the loop pauses for `pause` milliseconds. */
  onError(error: unknown, pause: number): void {
    this.#events.failed(error, { tried: "accept", pause });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
