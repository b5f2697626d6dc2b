/**
 * What a server knows of one conversation with one peer, whatever carries it.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import type { EndReason } from "./end_reason.ts";
import type { Sink } from "./observers.ts";

/** The ends and the number of a conversation. */
export interface ConversationEnds {
  /** Unique in the life of the process. */
  readonly id: number;
  /** The peer's end. */
  readonly peer: Address;
  /** Our end. */
  readonly local: Address;
}

/**
 * A conversation: who it is with, how much it has carried, and how it ended. Counters are plain numbers that cost nothing
 * on the byte path; whoever wants to watch reads them.
 */
export abstract class Conversation implements ConversationEnds, Disposable {
  /** Its number: unique in the life of the process. */
  readonly id: number;
  /** The peer's end. */
  readonly peer: Address;
  /** Our end. */
  readonly local: Address;
  /** When it was opened, on the clock of `performance.now()`. */
  readonly openedAt: number = performance.now();
  /** Bytes received so far. */
  bytesIn = 0;
  /** Bytes that the kernel has accepted for sending so far. */
  bytesOut = 0;
  /** Where its handler passes received bytes on to: the deadline for writes applies there, too. */
  sink: { readonly name: "upstream" | "program"; readonly flow: Sink } | undefined;

  #isClosed = false;
  #reason: EndReason | undefined;
  #closed: AbortController | undefined;
  #notes: Record<string, string | number> | undefined;

  /** A conversation that is open. */
  constructor({ id, peer, local }: ConversationEnds) {
    this.id = id;
    this.peer = peer;
    this.local = local;
  }

  /** Who or what ended it; `undefined` while it is open. */
  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Whether it is closed, by either side: nothing is read or written any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Aborted once it is closed: for whoever waits for something other than its bytes. */
  get closed(): AbortSignal {
    this.#closed ??= new AbortController();
    if (this.#isClosed) this.#closed.abort(this.#reason);
    return this.#closed.signal;
  }

  /** What was noted of it; `undefined` where nothing was. */
  get notes(): Readonly<Record<string, string | number>> | undefined {
    return this.#notes;
  }

  /** Notes something of it, which its `closed` event tells. */
  note(name: string, value: string | number): void {
    this.#notes = { ...this.#notes, [name]: value };
  }

  /** Sets the reason for its end, unless there is one. */
  endAs(reason: EndReason): void {
    this.#reason ??= reason;
  }

  /** Closes at once, whatever is under way; the first reason given stays. Pending reads and writes reject. */
  close(reason: EndReason): void {
    this.#reason ??= reason;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.closeCarrier();
    this.#closed?.abort(reason);
  }

  /** Closes what carries it. Called once. */
  protected abstract closeCarrier(): void;

  /** Closes it, unless that has happened. */
  [Symbol.dispose](): void {
    this.close("server closed");
  }
}
