/**
 * The welcome socket: it listens, accepts, and gives every client a connection socket of its own.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { AboutOutlet } from "../events/events.ts";
import type { Acceptor } from "./accept_loop.ts";
import type { Address } from "../endpoint/address.ts";
import { closeAll } from "../connection/close_all.ts";
import type { Connection } from "../connection/connection.ts";
import { Sweeper } from "../connection/deadlines.ts";
import { AcceptPipeline, type AdmittedConnection } from "./accept_pipeline.ts";
import { codeOf, explain, faultOf, isReset } from "../transport/errors.ts";
import { Admission } from "../admission/admission.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { OutletSettings } from "./settings.ts";
import type { WelcomeSocket } from "./welcome_socket.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("ending the grace of an outlet", {
  without: "its connections end by themselves",
});

/** What an outlet is for as long as it is open. */
export interface OutletOptions {
  /** Its number, which no other outlet of the server ever has; nothing else tells two of them apart. */
  readonly id: number;
  /** Its name in events, such as `echo`; several may have the same. */
  readonly name: string;
  /** Where its clients come; another outlet may have it before or after. */
  readonly socket: WelcomeSocket;
  /** Who may come in; without it, everybody may. */
  readonly admission?: Admission;
  /** Told of everything that happens here. */
  readonly eventBus: EventBus;
  /** Numbers connections; without it, they are counted here. */
  readonly number?: (() => number) | undefined;
}

let lastConnection = 0;

function numberConnection(): number {
  return ++lastConnection;
}

/**
 * A service behind a welcome socket. It accepts once {@linkcode serve} is called; disposing it stops it and cuts
 * whatever is still connected.
 */
export class Outlet implements Acceptor, AsyncDisposable {
  /** Its number, which no other outlet of the server ever has. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** Where it listens, with the real port. */
  readonly address: Address;
  /** Who may come in. */
  readonly admission: Admission;

  #socket: WelcomeSocket;
  readonly #eventBus: EventBus;
  readonly #stopping = new AbortController();
  /** Aborted when the grace is over: who is let in only now is cut at once. */
  readonly #expired = new AbortController();
  readonly #stopped = Promise.withResolvers<number>();
  readonly #sessions = new Set<Promise<void>>();
  readonly #live = new Set<Connection>();
  readonly #pipeline: AcceptPipeline;
  #settings: OutletSettings | undefined;
  #sweeper = new Sweeper({});
  #isGone = false;

  /** An outlet that does not accept yet. */
  constructor({ id, name, socket, eventBus, ...options }: OutletOptions) {
    const { admission = new Admission({}), number = numberConnection } = options;
    this.id = id;
    this.name = name;
    this.address = socket.address;
    this.admission = admission;
    this.#socket = socket;
    this.#eventBus = eventBus;
    this.#pipeline = new AcceptPipeline({
      admission,
      number,
      signal: this.#expired.signal,
      refused: (peer, reason) => this.#tellRefusal(peer, reason),
      failed: (error) => this.onFault(error, 0),
    });
  }

  /** The connections that are open now. */
  get connections(): Iterable<Connection> {
    return this.#live;
  }

  /** Aborted when the outlet begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when it and all its connections are gone, to how many of them had to be cut. */
  get stopped(): Promise<number> {
    return this.#stopped.promise;
  }

  /** Whether it and all its connections are gone. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Its welcome socket. */
  get socket(): WelcomeSocket {
    return this.#socket;
  }

  /** Closes its welcome socket, unless that goes on for another outlet. */
  async socketClosed(): Promise<void> {
    if (this.#socket.serves(this)) await this.#socket.close();
  }

  /** Goes on with another welcome socket at the same address. */
  moveTo(socket: WelcomeSocket): void {
    this.#socket = socket;
    socket.serve(this);
  }

  /** Starts to accept. Called again, it changes the settings for the clients that come from then on. */
  serve(settings: OutletSettings): void {
    const isFirst = this.#settings === undefined;
    const { certificate } = settings;
    this.#settings = settings;
    this.#sweeper = new Sweeper(settings.deadlines);
    if (!isFirst) return;
    this.#eventBus.publish({
      event: "listening",
      ...this.#about,
      ...certificate === undefined ? {} : { certificate },
    });
    this.#socket.serve(this);
  }

  /**
   * Stops: handlers are told through their signal, whoever waits in the kernel's queue is still accepted, and
   * connections have `grace` milliseconds to end before they are cut. Called again, it can only shorten that. A
   * welcome socket that another outlet has taken over goes on.
   *
   * @returns how many had to be cut
   */
  stop({ grace }: { grace: number }): Promise<number> {
    const timer = setTimeout(tasks.guard(() => this.#expired.abort()), grace);
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#drain().then(this.#stopped.resolve, this.#stopped.reject);
    }
    return this.stopped.finally(() => clearTimeout(timer));
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** Waits for capacity, where clients that find none are to wait in the kernel's queue. */
  ready(): Promise<void> | undefined {
    return this.#settings?.whenFull === "defer"
      ? this.admission.waitForCapacity(this.#stopping.signal)
      : undefined;
  }

  /** Lets a client in and sees it out, apart from all others. What letting it in took is not kept while it stays. */
  take(socket: ByteStream): void {
    const session = this.#pipeline.accept(socket, this.#settings!)
      .then((admitted) => admitted && this.#serveConnection(admitted))
      .finally(() => this.#sessions.delete(session));
    this.#sessions.add(session);
  }

  /** A client's stay. However it ends, the connection is closed and its place is free. */
  async #serveConnection(
    { connection, permit: place, handler }: AdmittedConnection,
  ): Promise<void> {
    using _place = place;
    using _closed = connection;
    using _deadlines = this.#sweeper.watch(connection);
    this.#tellOpened(connection);
    if (this.#expired.signal.aborted) connection.close("cut by the drain");
    try {
      await handler(connection, this.#stopping.signal);
      await connection.finish();
    } catch (error) {
      // What failed here is never an orderly end: nobody may take it for success.
      if (isReset(error)) connection.close("peer reset");
      else connection.reset(faultOf(error));
    }
    this.#tellClosed(connection);
  }

  #tellOpened(connection: Connection): void {
    this.#live.add(connection);
    const { id, peer, local, notes } = connection;
    this.#eventBus.publish({
      event: "opened",
      ...this.#about,
      connection: id,
      peer,
      local,
      ...notes ? { notes } : {},
    });
  }

  #tellClosed(connection: Connection): void {
    this.#live.delete(connection);
    this.#eventBus.publish({
      event: "closed",
      ...this.#about,
      connection: connection.id,
      peer: connection.peer,
      bytesIn: connection.bytesIn,
      bytesOut: connection.bytesOut,
      duration: performance.now() - connection.openedAt,
      reason: connection.reason ?? "server closed",
      ...connection.notes ? { notes: connection.notes } : {},
    });
  }

  async #drain(): Promise<number> {
    using _pipeline = this.#pipeline;
    await this.socketClosed();
    const ended = Promise.all(this.#sessions);
    await Promise.race([ended, aborted(this.#expired.signal)]);
    this.#expired.abort();
    const cut = this.#live.size;
    await closeAll(this.#live, "cut by the drain");
    await ended;
    this.#isGone = true;
    if (this.#settings) this.#eventBus.publish({ event: "stopped", ...this.#about, cut });
    return cut;
  }

  #tellRefusal(peer: Address, reason: string): void {
    this.#eventBus.publish({ event: "refused", ...this.#about, peer, reason });
  }

  /** Tells that a client got no connection, for no reason of ours. */
  onFault(error: unknown, pause: number): void {
    const then = pause > 0 ? `; trying again in ${pause} ms` : "";
    this.#eventBus.publish({
      event: "failed",
      ...this.#about,
      code: codeOf(error) ?? "unknown",
      reason: `cannot accept: ${explain(error)}${then}`,
    });
  }

  get #about(): AboutOutlet {
    return { id: this.id, outlet: this.name, address: this.address };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
