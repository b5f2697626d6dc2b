/**
 * The welcome socket: it listens, accepts, and gives every client a connection socket of its own.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Journal } from "../observe/journal.ts";
import { type Address, addressOf, formatAddress, type InternetAddress } from "./address.ts";
import { Connection, type Handler } from "./connection.ts";
import { codeOf, explain, isReset } from "./faults.ts";

/** Where and how an outlet listens. */
export interface OutletOptions {
  /** Its name in events, such as `echo`. */
  readonly name: string;
  /** Where to listen; port 0 takes a free port. */
  readonly listen: InternetAddress;
  /** How many clients the kernel may keep waiting to be accepted (it caps this at `net.core.somaxconn`). */
  readonly backlog: number;
  /** Whether the kernel probes silent connections, so that those whose peer vanished end some day. */
  readonly keepAlive: boolean;
  /** Told of everything that happens here. */
  readonly journal: Journal;
}

/** The pause after a failed accept, in milliseconds; it doubles from the first to the last. */
const PAUSE = { first: 10, last: 1_000 };

let lastConnection = 0;

/**
 * A listening socket with a service behind it. It is bound when it is made and accepts once
 * {@linkcode serve} is called. Disposing it stops it and cuts whatever is still connected.
 */
export class Outlet implements AsyncDisposable {
  /** Its name in events. */
  readonly name: string;
  /** Where it listens, with the real port. */
  readonly address: Address;

  readonly #listener: Deno.TcpListener;
  readonly #keepAlive: boolean;
  readonly #journal: Journal;
  readonly #stopping = new AbortController();
  readonly #live = new Map<Connection, Promise<void>>();
  #accepting: Promise<void> | undefined;
  #stopped: Promise<number> | undefined;

  /**
   * Binds the welcome socket and listens.
   *
   * @throws {Error} `cannot listen on 127.0.0.1:80: …` when the system refuses; the cause is its error.
   */
  constructor({ name, listen, backlog, keepAlive, journal }: OutletOptions) {
    this.name = name;
    this.#keepAlive = keepAlive;
    this.#journal = journal;
    try {
      this.#listener = Deno.listen({ ...listen, transport: "tcp", tcpBacklog: backlog });
    } catch (cause) {
      throw new Error(`cannot listen on ${formatAddress(listen)}: ${reasonFor(cause, listen)}`, {
        cause,
      });
    }
    this.address = addressOf(this.#listener.addr);
  }

  /** The connections that are open now. */
  get connections(): Iterable<Connection> {
    return this.#live.keys();
  }

  /** Aborted when the outlet begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Starts to accept; every client is served by the handler. */
  serve(handler: Handler): void {
    this.#journal.publish({ event: "listening", ...this.#about });
    this.#accepting = this.#acceptAll(handler);
  }

  /**
   * Stops: no client is accepted any more, handlers are told through their signal, and connections have
   * `grace` milliseconds to end before they are cut.
   *
   * @returns how many had to be cut
   */
  stop({ grace }: { grace: number }): Promise<number> {
    return this.#stopped ??= this.#stop(grace);
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  async #acceptAll(handler: Handler): Promise<void> {
    const { signal } = this.#stopping;
    let pause = PAUSE.first;
    while (!signal.aborted) {
      try {
        const socket = await this.#listener.accept();
        pause = PAUSE.first;
        this.#welcome(socket, handler);
      } catch (error) {
        if (signal.aborted) return;
        if (isReset(error)) continue;
        this.#fail(`cannot accept: ${explain(error)}; trying again in ${pause} ms`);
        await delay(pause, { signal }).catch(() => {});
        pause = Math.min(pause * 2, PAUSE.last);
      }
    }
  }

  /** Gives the client its connection and has it served, apart from all others. */
  #welcome(socket: Deno.TcpConn, handler: Handler): void {
    let connection: Connection;
    try {
      socket.setNoDelay(true);
      socket.setKeepAlive(this.#keepAlive);
      connection = new Connection(socket, { id: ++lastConnection });
    } catch (error) {
      socket.close();
      throw error;
    }
    const served = this.#converse(connection, handler)
      .finally(() => this.#live.delete(connection));
    this.#live.set(connection, served);
  }

  async #converse(connection: Connection, handler: Handler): Promise<void> {
    const about = { ...this.#about, connection: connection.id, peer: connection.peer };
    this.#journal.publish({ event: "opened", ...about });
    try {
      await handler(connection, this.#stopping.signal);
      await connection.finish();
    } catch (error) {
      connection.hangUp(isReset(error) ? "reset" : `error: ${explain(error)}`);
    }
    this.#journal.publish({
      event: "closed",
      ...about,
      bytesIn: connection.bytesIn,
      bytesOut: connection.bytesOut,
      duration: performance.now() - connection.openedAt,
      reason: connection.reason ?? "server closed",
      ...connection.notes ? { notes: connection.notes } : {},
    });
  }

  async #stop(grace: number): Promise<number> {
    this.#stopping.abort();
    this.#listener.close();
    await this.#accepting;
    const cut = await this.#drain(grace);
    this.#journal.publish({ event: "stopped", ...this.#about, cut });
    return cut;
  }

  async #drain(grace: number): Promise<number> {
    const ended = Promise.all(this.#live.values());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const graceOver = new Promise<void>((resolve) => timer = setTimeout(resolve, grace));
    await Promise.race([ended, graceOver]);
    clearTimeout(timer);
    const cut = this.#live.size;
    for (const connection of this.#live.keys()) connection.hangUp("server closed");
    await ended;
    return cut;
  }

  #fail(reason: string): void {
    this.#journal.publish({ event: "failed", ...this.#about, reason });
  }

  get #about(): { outlet: string; address: Address } {
    return { outlet: this.name, address: this.address };
  }
}

/** Why the system would not listen there, and what to do about it. */
function reasonFor(cause: unknown, { port }: InternetAddress): string {
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return `${
        explain(cause)
      }; stop what listens there, or take another port (0 takes a free one)`;
    case "EACCES":
      return `${explain(cause)}; port ${port} needs root or the capability CAP_NET_BIND_SERVICE, ` +
        "or take a port from 1024 up";
    default:
      return explain(cause);
  }
}
