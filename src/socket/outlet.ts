/**
 * The welcome socket: it listens, accepts, and gives every client a connection socket of its own.
 *
 * @module
 */
import type { Journal } from "../observe/journal.ts";
import { acceptAll } from "./accept.ts";
import { type Address, addressOf, isUnix } from "./address.ts";
import { Connection, type Handler, type Socket } from "./connection.ts";
import { type Deadlines, Sweeper } from "./deadlines.ts";
import { codeOf, explain, faultOf } from "./faults.ts";
import { Gate, type Verdict } from "./gate.ts";
import { type Accepted, type Listener, listenOn } from "./listen.ts";
import type { Arrival, TrustedProxies } from "./proxied.ts";
import { ProxyHeaderError } from "./proxy_header.ts";
import { type Capturing, tapped } from "./tap.ts";
import { Turns } from "./turns.ts";
import type { TlsDoor } from "../tls/door.ts";

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
  readonly gate?: Gate;
  /** Told of everything that happens here. */
  readonly journal: Journal;
  /** Whether others of this process listen there too; the kernel then spreads the clients over them. */
  readonly shared?: boolean;
  /** Numbers connections; without it, they are counted here. */
  readonly number?: () => number;
}

/** How clients are served: what may change from one client to the next. */
export interface Terms {
  /** Serves each client. */
  readonly handler: Handler;
  /** The proxies that have to announce each client; without it, clients come by themselves. */
  readonly proxies?: TrustedProxies | undefined;
  /** Shakes hands with each client; without it there is no TLS. */
  readonly tls?: TlsDoor | undefined;
  /** Opens what writes a connection down; without it, nobody does. */
  readonly capture?: ((connection: number) => Promise<Capturing | undefined>) | undefined;
  /** Whether the kernel probes silent connections, so that those whose peer vanished end some day. */
  readonly keepAlive: boolean;
  /** When connections are hung up on. */
  readonly deadlines: Deadlines;
  /** When nobody more may be inside: refuse who comes, or leave them waiting in the kernel's queue. */
  readonly whenFull: "refuse" | "defer";
}

/** A client that was let in: its connection, and what it holds while it stays. */
interface Guest {
  readonly connection: Connection;
  readonly place: Disposable;
  readonly capture: Capturing | undefined;
  readonly handler: Handler;
}

/** A client whose socket is ready to be talked over, and what is worth noting of how it got there. */
interface Secured {
  readonly socket: Socket;
  readonly notes: Readonly<Record<string, string | undefined>>;
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
  readonly gate: Gate;

  readonly #listener: Listener;
  readonly #journal: Journal;
  readonly #number: () => number;
  readonly #stopping = new AbortController();
  readonly #graceOver = Promise.withResolvers<void>();
  readonly #visits = new Set<Promise<void>>();
  readonly #live = new Set<Connection>();
  readonly #turns = new Turns();
  #terms: Terms | undefined;
  #sweeper = new Sweeper({});
  #accepting: Promise<void> | undefined;
  #stopped: Promise<number> | undefined;
  /** Whether the grace is over: who is let in only now is cut at once. */
  #isOver = false;

  /**
   * Binds the welcome socket and listens.
   *
   * @throws {Error} `cannot listen on 127.0.0.1:80: …` when the system refuses; the cause is its error.
   */
  constructor(options: OutletOptions) {
    const { name, listen, gate = new Gate({}), journal, number = numberConnection } = options;
    this.name = name;
    this.gate = gate;
    this.#journal = journal;
    this.#number = number;
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
  async unbound(): Promise<void> {
    await this.#accepting;
  }

  /** Starts to accept. Called again, it changes the terms for the clients that come from then on. */
  serve(terms: Terms): void {
    this.#terms = terms;
    this.#sweeper = new Sweeper(terms.deadlines);
    if (this.#accepting) return;
    this.#journal.publish({
      event: "listening",
      ...this.#about,
      ...terms.tls ? { certificate: terms.tls.fingerprint } : {},
    });
    this.#accepting = acceptAll(this.#listener, {
      signal: this.#stopping.signal,
      ready: () => this.#mayDefer ? this.gate.room(this.#stopping.signal) : undefined,
      take: (socket) => this.#welcome(socket),
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
    const timer = setTimeout(() => this.#graceOver.resolve(), grace);
    this.#stopped ??= this.#stop();
    return this.#stopped.finally(() => clearTimeout(timer));
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** Lets a client in and sees it out, apart from all others. What letting it in took is not kept while it stays. */
  #welcome(socket: Accepted): void {
    const visit = this.#letIn(socket, this.#terms!)
      .then((guest) => guest && this.#converse(guest))
      .finally(() => this.#visits.delete(visit));
    this.#visits.add(visit);
  }

  /** A client's way in, stage by stage. Whoever does not get to its end is closed. */
  async #letIn(socket: Accepted, terms: Terms): Promise<Guest | undefined> {
    using undo = new DisposableStack();
    undo.adopt(socket, close);
    try {
      // Without a proxy nothing is awaited: who is accepted is counted before the next one is.
      const { proxies, handler } = terms;
      const arrival = proxies ? await this.#announced(socket, proxies) : directly(socket);
      if (arrival === undefined) return;
      const { peer, local } = arrival;
      const place = undo.use(await this.#admit(peer));
      if (place.refusal !== undefined) {
        this.#tellRefusal(peer, place.refusal);
        return;
      }
      const turn = this.#turns.next();
      if (turn) await turn;
      socket.setNoDelay?.(true);
      socket.setKeepAlive?.(terms.keepAlive);
      const secured = await this.#secure(arrival, terms);
      if (secured === undefined) return;
      const id = this.#number();
      const capture = undo.use(await terms.capture?.(id));
      const talk = capture ? tapped(secured.socket, capture.record) : secured.socket;
      const connection = new Connection(talk, { id, peer, local });
      for (const [name, value] of Object.entries(secured.notes)) {
        if (value !== undefined) connection.note(name, value);
      }
      undo.move();
      return { connection, place, capture, handler };
    } catch (error) {
      this.#tellFault(error, 0);
    }
  }

  /** Whom the proxy at the other end announces. */
  async #announced(socket: Accepted, proxies: TrustedProxies): Promise<Arrival | undefined> {
    try {
      return await proxies.hear(socket, this.#stopping.signal);
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      this.#tellRefusal(addressOf(socket.remoteAddr), error.message);
    }
  }

  /** Shakes hands, where the outlet speaks TLS. Whoever cannot is turned away. */
  async #secure({ socket, peer }: Arrival, { tls }: Terms): Promise<Secured | undefined> {
    if (!tls) return { socket, notes: {} };
    try {
      const { socket: secured, agreement } = await tls.admit(socket, this.#stopping.signal);
      const { protocol, alpn, subject } = agreement;
      return { socket: secured, notes: { tls: protocol, alpn, "tls-subject": subject } };
    } catch (error) {
      this.#tellRefusal(peer, `TLS: ${explain(error)}`);
    }
  }

  /** The gate's verdict; where who finds it full is to wait, the one that comes after the wait. */
  async #admit(peer: Address): Promise<Verdict> {
    const host = isUnix(peer) ? undefined : peer.hostname;
    const { signal } = this.#stopping;
    let verdict = this.gate.admit(host);
    while (verdict.refusal === "full" && this.#mayDefer && !signal.aborted) {
      await this.gate.room(signal);
      verdict = this.gate.admit(host);
    }
    return verdict;
  }

  /** A client's stay. However it ends, the connection is closed and its place is free. */
  async #converse({ connection, place, capture, handler }: Guest): Promise<void> {
    using _place = place;
    using _capture = capture;
    using _closed = connection;
    using _deadlines = this.#sweeper.watch(connection);
    this.#tellOpened(connection);
    if (this.#isOver) connection.hangUp("server closed");
    try {
      await handler(connection, this.#stopping.signal);
      await connection.finish();
    } catch (error) {
      connection.hangUp(faultOf(error));
    }
    this.#tellClosed(connection);
  }

  #tellOpened(connection: Connection): void {
    this.#live.add(connection);
    const { id, peer, local, notes } = connection;
    this.#journal.publish({
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
    this.#journal.publish({
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
    using _turns = this.#turns;
    this.#stopping.abort();
    this.#listener.close();
    await this.#accepting;
    const ended = Promise.all(this.#visits);
    await Promise.race([ended, this.#graceOver.promise]);
    this.#isOver = true;
    const cut = this.#live.size;
    for (const connection of this.#live) connection.hangUp("server closed");
    await ended;
    if (this.#accepting) this.#journal.publish({ event: "stopped", ...this.#about, cut });
    return cut;
  }

  #tellRefusal(peer: Address, reason: string): void {
    this.#journal.publish({ event: "refused", ...this.#about, peer, reason });
  }

  /** Tells that a client got no connection, for no reason of ours. */
  #tellFault(error: unknown, pause: number): void {
    const then = pause > 0 ? `; trying again in ${pause} ms` : "";
    this.#journal.publish({
      event: "failed",
      ...this.#about,
      code: codeOf(error) ?? "unknown",
      reason: `cannot accept: ${explain(error)}${then}`,
    });
  }

  get #mayDefer(): boolean {
    return this.#terms?.whenFull === "defer";
  }

  get #about(): { outlet: string; address: Address } {
    return { outlet: this.name, address: this.address };
  }
}

/** Who comes without a proxy: whoever sits at the other end. */
function directly(socket: Accepted): Arrival {
  return { socket, peer: addressOf(socket.remoteAddr), local: addressOf(socket.localAddr) };
}

function close(socket: Accepted): void {
  try {
    socket.close();
  } catch {
    // A deadline has closed it before.
  }
}
