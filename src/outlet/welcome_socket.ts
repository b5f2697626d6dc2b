/**
 * A listening socket that passes its connections to an outlet. Another outlet can take it over
 * without closing it.
 *
 * @module
 */
import { type Address, addressOf } from "../endpoint/address.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import { setListenerKeepAliveTimes } from "../transport/keep_alive.ts";
import type { KeepAliveTimes } from "../transport/keep_alive_options.ts";
import type { Listener } from "../transport/listen.ts";
import { acceptAll, type AcceptHandler } from "./accept_loop.ts";

/**
 * The time limit for emptying the accept queue, in milliseconds. Needed because other sockets may
 * share the port.
 */
const EMPTY_TIMEOUT = 1_000;

/** A listening socket. It accepts once it has a handler. */
export class WelcomeSocket {
  /** The address at which it is bound. */
  readonly address: Address;
  readonly #listener: Listener;
  readonly #closed = new AbortController();
  #handler: AcceptHandler | undefined;
  #accepting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #accepted = 0;
  /** The times that are set, as JSON; at first the system's. */
  #keepAliveTimes = "{}";

  /** Takes over a listener. */
  constructor(listener: Listener) {
    this.#listener = listener;
    this.address = addressOf(listener.addr);
  }

  /** Whether its connections go to this handler. */
  serves(handler: AcceptHandler): boolean {
    return this.#handler === handler;
  }

  /**
   * Sets when keep-alive probes are sent over connections that are accepted from now on.
   * @throws {Error} that the times could not be set
   */
  setKeepAliveTimes(times: KeepAliveTimes | undefined): void {
    const { addr } = this.#listener;
    const wanted = JSON.stringify(times ?? {});
    if (addr.transport !== "tcp" || wanted === this.#keepAliveTimes || this.#closing) return;
    setListenerKeepAliveTimes(addr, times ?? {});
    this.#keepAliveTimes = wanted;
  }

  /** Passes connections to this handler from now on. */
  serve(handler: AcceptHandler): void {
    this.#handler = handler;
    this.#accepting ??= acceptAll(this.#listener, {
      signal: this.#closed.signal,
      ready: () => this.#handler!.ready(),
      onConnection: (stream) => {
        this.#accepted++;
        this.#handler!.onConnection(stream);
      },
      onError: (error, pause) => this.#handler!.onError(error, pause),
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
    const latest = performance.now() + EMPTY_TIMEOUT;
    for (let before = -1; before !== this.#accepted && performance.now() < latest;) {
      before = this.#accepted;
      // The runtime polls in one turn and accepts in the next.
      await nextTurn();
      await nextTurn();
    }
  }
}
