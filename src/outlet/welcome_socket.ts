/**
 * A listening socket that passes its connections to an outlet. Another outlet can take it over
 * without closing it.
 *
 * @module
 */
import { type Address, addressOf } from "../endpoint/address.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import type { Listener } from "../transport/listen.ts";
import { acceptAll, type Acceptor } from "./accept_loop.ts";

/**
 * The time limit for emptying the accept queue, in milliseconds. Needed because other sockets may
 * share the port.
 */
const EMPTYING = 1_000;

/** A listening socket. It accepts once there is an acceptor. */
export class WelcomeSocket {
  /** The address at which it is bound. */
  readonly address: Address;
  readonly #listener: Listener;
  readonly #closed = new AbortController();
  #acceptor: Acceptor | undefined;
  #accepting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #taken = 0;

  /** Takes over a listener. */
  constructor(listener: Listener) {
    this.#listener = listener;
    this.address = addressOf(listener.addr);
  }

  /** Whether its connections go to this acceptor. */
  serves(acceptor: Acceptor): boolean {
    return this.#acceptor === acceptor;
  }

  /** Passes connections to this acceptor from now on. */
  serve(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    this.#accepting ??= acceptAll(this.#listener, {
      signal: this.#closed.signal,
      ready: () => this.#acceptor!.ready(),
      take: (socket) => {
        this.#taken++;
        this.#acceptor!.take(socket);
      },
      onFault: (error, pause) => this.#acceptor!.onFault(error, pause),
    });
  }

  /**
   * Accepts the connections in the kernel's accept queue, then closes the socket. Closing it
   * resets connections that are left there.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#accepting) await this.#acceptWaiting();
    this.#closed.abort();
    this.#listener.close();
    await this.#accepting;
  }

  /** Resolves when nothing was accepted for a whole turn of the event loop. */
  async #acceptWaiting(): Promise<void> {
    const latest = performance.now() + EMPTYING;
    for (let before = -1; before !== this.#taken && performance.now() < latest;) {
      before = this.#taken;
      // The runtime polls in one turn and accepts in the next.
      await nextTurn();
      await nextTurn();
    }
  }
}
