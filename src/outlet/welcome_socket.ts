/**
 * A listening socket, and who is given the clients that come to it. It can outlive an outlet: another one takes it
 * over while it listens, and no client notices.
 *
 * @module
 */
import { type Address, addressOf } from "../endpoint/address.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import type { Listener } from "../transport/listen.ts";
import { acceptAll, type Acceptor } from "./accept_loop.ts";

/**
 * How long a socket that is being closed goes on to accept while clients still come, in milliseconds: where others
 * share its port, that may never end.
 */
const EMPTYING = 1_000;

/** A socket that listens from the moment it is made, and accepts once somebody is there to serve. */
export class WelcomeSocket {
  /** Where it listens, with the real port. */
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

  /** Whether clients go to this acceptor. */
  serves(acceptor: Acceptor): boolean {
    return this.#acceptor === acceptor;
  }

  /** Gives clients to this acceptor from now on. */
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

  /** Accepts all who wait in the kernel's queue, and stops to listen: closing resets whoever is left in it. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#accepting) await this.#acceptWaiting();
    this.#closed.abort();
    this.#listener.close();
    await this.#accepting;
  }

  /** Resolves once nobody was in the queue for a whole turn of the event loop. */
  async #acceptWaiting(): Promise<void> {
    const latest = performance.now() + EMPTYING;
    for (let before = -1; before !== this.#taken && performance.now() < latest;) {
      before = this.#taken;
      // What the kernel tells in one turn is taken in the next.
      await nextTurn();
      await nextTurn();
    }
  }
}
