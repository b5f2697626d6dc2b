/**
 * The state of one conversation with one peer, over any carrier.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import type { EndReason } from "./end_reason.ts";
import type { Sink } from "./observers.ts";

/** The addresses and the number of a conversation. */
export interface ConversationEnds {
  /** Unique within the process. */
  readonly id: number;
  /** The peer's address. */
  readonly peer: Address;
  /** The local address. */
  readonly local: Address;
}

/**
 * A conversation: its addresses, counters, and end. The counters are plain numbers that observers
 * read, so nothing on the byte path publishes them.
 */
export abstract class Conversation implements ConversationEnds, Disposable {
  /** Unique within the process. */
  readonly id: number;
  /** The peer's address. */
  readonly peer: Address;
  /** The local address. */
  readonly local: Address;
  /** When it was opened, on the clock of `performance.now()`. */
  readonly openedAt: number = performance.now();
  /** Bytes received so far. */
  bytesIn = 0;
  /** Bytes that the kernel has accepted for sending so far. */
  bytesOut = 0;
  /** Where its handler writes received bytes to. The write deadline applies there, too. */
  sink: { readonly name: "upstream" | "program"; readonly flow: Sink } | undefined;

  #isClosed = false;
  #reason: EndReason | undefined;
  #closed: AbortController | undefined;
  #notes: Record<string, string | number> | undefined;

  /** An open conversation. */
  constructor({ id, peer, local }: ConversationEnds) {
    this.id = id;
    this.peer = peer;
    this.local = local;
  }

  /** Why it ended; `undefined` while it is open. */
  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Whether it is closed, by either side. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Aborted when it is closed. */
  get closed(): AbortSignal {
    this.#closed ??= new AbortController();
    if (this.#isClosed) this.#closed.abort(this.#reason);
    return this.#closed.signal;
  }

  /** Its notes; `undefined` if there are none. */
  get notes(): Readonly<Record<string, string | number>> | undefined {
    return this.#notes;
  }

  /** Adds a note to its `closed` event. */
  note(name: string, value: string | number): void {
    this.#notes = { ...this.#notes, [name]: value };
  }

  /** Sets the end reason, if there is none yet. */
  endAs(reason: EndReason): void {
    this.#reason ??= reason;
  }

  /** Closes at once; the first reason stays. Pending reads and writes reject. */
  close(reason: EndReason): void {
    this.#reason ??= reason;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.closeCarrier();
    this.#closed?.abort(reason);
  }

  /** Closes the carrier. Called once. */
  protected abstract closeCarrier(): void;

  /** Closes it if it is open. */
  [Symbol.dispose](): void {
    this.close("server closed");
  }
}
