/**
 * The welcome socket: it listens, accepts, and gives every client a connection socket of its own.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import { acceptAll } from "./accept_loop.ts";
import { type Address, addressOf } from "../endpoint/address.ts";
import type { Connection } from "../connection/connection.ts";
import { Sweeper } from "../connection/deadlines.ts";
import { AcceptPipeline, type AdmittedConnection } from "./accept_pipeline.ts";
import { codeOf, explain, faultOf, isReset } from "../transport/errors.ts";
import { Admission } from "../admission/admission.ts";
import { type Listener, listenOn } from "../transport/listen.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { OutletSettings } from "./settings.ts";

/** What an outlet is for as long as it is open. */
export interface OutletOptions {
  /** Its name in events, such as `echo`. */
  readonly name: string;
  /** Where to listen; port 0 takes a free port. */
  readonly listen: Address;
  /** How many clients the kernel may keep waiting to be accepted (it caps this at `net.core.somaxconn`). */
  readonly backlog: number;
  /** The permission bits of a Unix socket's file. */
  readonly mode?: number | undefined;
  /** Who may come in; without it, everybody may. */
  readonly admission?: Admission;
  /** Told of everything that happens here. */
  readonly eventBus: EventBus;
  /** Whether others of this process listen there too; the kernel then spreads the clients over them. */
  readonly shared?: boolean;
  /** Numbers connections; without it, they are counted here. */
  readonly number?: () => number;
}

let lastConnection = 0;

function numberConnection(): number {
  return ++lastConnection;
}

/**
 * A listening socket with a service behind it. It is bound when it is made and accepts once
 * {@linkcode serve} is called. Disposing it stops it and cuts whatever is still connected.
 */
export class Outlet implements AsyncDisposable {
  /** Its name in events. */
  readonly name: string;
  /** Where it listens, with the real port. */
  readonly address: Address;
  /** Its door. */
  readonly admission: Admission;

  readonly #listener: Listener;
  readonly #eventBus: EventBus;
  readonly #stopping = new AbortController();
  readonly #graceExpired = Promise.withResolvers<void>();
  readonly #sessions = new Set<Promise<void>>();
  readonly #live = new Set<Connection>();
  readonly #pipeline: AcceptPipeline;
  #settings: OutletSettings | undefined;
  #sweeper = new Sweeper({});
  #accepting: Promise<void> | undefined;
  #stopped: Promise<number> | undefined;
  /** Whether the grace is over: who is let in only now is cut at once. */
  #hasExpired = false;

  /**
   * Binds the welcome socket and listens.
   *
   * @throws {Error} `cannot listen on 127.0.0.1:80: …` when the system refuses; the cause is its error.
   */
  constructor(options: OutletOptions) {
    const {
      name,
      listen,
      admission: gate = new Admission({}),
      eventBus,
      number = numberConnection,
    } = options;
    this.name = name;
    this.admission = gate;
    this.#eventBus = eventBus;
    this.#pipeline = new AcceptPipeline({
      admission: gate,
      number,
      signal: this.#stopping.signal,
      refused: (peer, reason) => this.#tellRefusal(peer, reason),
      failed: (error) => this.#tellFault(error, 0),
    });
    this.#listener = listenOn(listen, options);
    this.address = addressOf(this.#listener.addr);
  }

  /** The connections that are open now. */
  get connections(): Iterable<Connection> {
    return this.#live;
  }

  /** Aborted when the outlet begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when it accepts nobody any more, which is soon after it begins to stop: its address is free then. */
  async listenerClosed(): Promise<void> {
    await this.#accepting;
  }

  /** Starts to accept. Called again, it changes the terms for the clients that come from then on. */
  serve(terms: OutletSettings): void {
    this.#settings = terms;
    this.#sweeper = new Sweeper(terms.deadlines);
    if (this.#accepting) return;
    this.#eventBus.publish({
      event: "listening",
      ...this.#about,
      ...terms.tls ? { certificate: terms.tls.fingerprint } : {},
    });
    this.#accepting = acceptAll(this.#listener, {
      signal: this.#stopping.signal,
      ready: () =>
        this.#settings?.whenFull === "defer"
          ? this.admission.waitForCapacity(this.#stopping.signal)
          : undefined,
      take: (socket) => this.#accept(socket),
      onFault: (error, pause) => this.#tellFault(error, pause),
    });
  }

  /**
   * Stops: no client is accepted any more, handlers are told through their signal, and connections have
   * `grace` milliseconds to end before they are cut. Called again, it can only shorten that.
   *
   * @returns how many had to be cut
   */
  stop({ grace }: { grace: number }): Promise<number> {
    const timer = setTimeout(() => this.#graceExpired.resolve(), grace);
    this.#stopped ??= this.#stop();
    return this.#stopped.finally(() => clearTimeout(timer));
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** Lets a client in and sees it out, apart from all others. What letting it in took is not kept while it stays. */
  #accept(socket: ByteStream): void {
    const visit = this.#pipeline.accept(socket, this.#settings!)
      .then((guest) => guest && this.#serveConnection(guest))
      .finally(() => this.#sessions.delete(visit));
    this.#sessions.add(visit);
  }

  /** A client's stay. However it ends, the connection is closed and its place is free. */
  async #serveConnection(
    { connection, permit: place, capture, handler }: AdmittedConnection,
  ): Promise<void> {
    using _place = place;
    using _capture = capture;
    using _closed = connection;
    using _deadlines = this.#sweeper.watch(connection);
    this.#tellOpened(connection);
    if (this.#hasExpired) connection.close("cut by the drain");
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

  async #stop(): Promise<number> {
    using _entrance = this.#pipeline;
    this.#stopping.abort();
    this.#listener.close();
    await this.#accepting;
    const ended = Promise.all(this.#sessions);
    await Promise.race([ended, this.#graceExpired.promise]);
    this.#hasExpired = true;
    const cut = this.#live.size;
    for (const connection of this.#live) connection.close("cut by the drain");
    await ended;
    if (this.#accepting) this.#eventBus.publish({ event: "stopped", ...this.#about, cut });
    return cut;
  }

  #tellRefusal(peer: Address, reason: string): void {
    this.#eventBus.publish({ event: "refused", ...this.#about, peer, reason });
  }

  /** Tells that a client got no connection, for no reason of ours. */
  #tellFault(error: unknown, pause: number): void {
    const then = pause > 0 ? `; trying again in ${pause} ms` : "";
    this.#eventBus.publish({
      event: "failed",
      ...this.#about,
      code: codeOf(error) ?? "unknown",
      reason: `cannot accept: ${explain(error)}${then}`,
    });
  }

  get #about(): { outlet: string; address: Address } {
    return { outlet: this.name, address: this.address };
  }
}
