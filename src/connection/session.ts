/**
 * A datagram session: the datagrams of one client address, for as long as they keep coming.
 *
 * @module
 */
import { Conversation, type ConversationEnds } from "./conversation.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { EndReason } from "./end_reason.ts";
import { type Tap, Taps } from "./observers.ts";

const tasks = new TaskScope("ending a session", { consequence: "the other sessions go on" });

/** Serves a session: its handler gets each datagram of the client. */
export type DatagramHandler = (session: Session, signal: AbortSignal) => DatagramReceiver;

/** Gets the datagrams of one session. */
export interface DatagramReceiver {
  /**
   * Handles a datagram, which is valid until the promise resolves. All sessions of the socket wait
   * for it. An error closes the session.
   */
  receive(datagram: Uint8Array): void | Promise<void>;
  /** Called when the session is closed. An outlet that stops waits for it. */
  close?(): void | Promise<void>;
}

/** How a session sends, and what it is allowed to send. */
export interface SessionCarrier {
  /** Sends a datagram to the client. */
  send(datagram: Uint8Array): Promise<void>;
  /** Called when the session is closed, with what its handler still does. */
  closed(ending: void | Promise<void>): void;
  /** Called when an answer was not sent, with the reason. */
  dropped(reason: string): void;
  /** The longest datagram in bytes, in either direction. */
  readonly maxDatagram: number;
  /** Whether an answer may not be longer than the datagram that it answers. */
  readonly limitsAnswers: boolean;
  /** Records the bytes of a direction in a file; `undefined` without `capture`. */
  readonly record?: ((direction: "<" | ">", datagram: Uint8Array) => Promise<void>) | undefined;
}

/** A session with one client address. It ends when it is idle, or with its outlet. */
export class Session extends Conversation {
  /** Datagrams received so far. */
  datagramsIn = 0;
  /** Datagrams passed to the kernel so far. */
  datagramsOut = 0;
  /** Sessions have no end of one direction. */
  readonly halfClosed = false;
  readonly #carrier: SessionCarrier;
  #receiver: DatagramReceiver | undefined;
  #taps: Taps | undefined;
  /** The most bytes of an answer. */
  #answerLimit = Infinity;

  /** A session over a carrier. */
  constructor(carrier: SessionCarrier, ends: ConversationEnds) {
    super(ends);
    this.#carrier = carrier;
  }

  /** The longest datagram in bytes that is received from the client, and from an upstream. */
  get maxDatagram(): number {
    return this.#carrier.maxDatagram;
  }

  /** Datagrams in both directions. */
  get datagrams(): number {
    return this.datagramsIn + this.datagramsOut;
  }

  /** Datagrams are never held up by the client. */
  readonly writing = false;

  /** Not known: nothing is acknowledged over UDP. */
  get unacknowledged(): undefined {
    return undefined;
  }

  /** Starts to pass datagrams to its handler. */
  serve(receiver: DatagramReceiver): void {
    this.#receiver = receiver;
    if (this.isClosed) tasks.run(() => receiver.close?.());
  }

  /** Counts a datagram from the client and passes it to the handler. */
  deliver(datagram: Uint8Array): void | Promise<void> {
    this.datagramsIn++;
    this.bytesIn += datagram.length;
    this.#taps?.received(datagram);
    if (this.#carrier.limitsAnswers) this.#answerLimit = datagram.length;
    const { record } = this.#carrier;
    if (!record) return this.#receiver?.receive(datagram);
    return record("<", datagram).then(() => this.#receiver?.receive(datagram));
  }

  /** Sends an answer, unless it is longer than what it answers and may not be. */
  send(datagram: Uint8Array): Promise<void> {
    if (datagram.length <= this.#answerLimit) return this.write(datagram);
    this.#carrier.dropped("the answer is longer than the request");
    return Promise.resolve();
  }

  /** Sends a datagram of any length. */
  write(datagram: Uint8Array): Promise<void> {
    const { record } = this.#carrier;
    return record
      ? record(">", datagram).then(() => this.#transmit(datagram))
      : this.#transmit(datagram);
  }

  /** Counts before the kernel has accepted it: if it does not, the session is closed. */
  #transmit(datagram: Uint8Array): Promise<void> {
    this.datagramsOut++;
    this.bytesOut += datagram.length;
    this.#taps?.sent(datagram);
    return this.#carrier.send(datagram);
  }

  /** Counts a datagram that its handler does not pass on, with the reason. */
  drop(reason: string): void {
    this.#carrier.dropped(reason);
  }

  /** Does nothing: a session cannot be half-closed. */
  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  /** Observes received and sent datagrams from now on, until disposed. */
  tap(tap: Tap): Disposable {
    this.#taps ??= new Taps(() => this.#taps = undefined);
    return this.#taps.add(tap);
  }

  /** Closes it: UDP has no reset. */
  reset(reason: EndReason): void {
    this.close(reason);
  }

  /** Ends the handler; the socket stays, because other sessions share it. */
  protected override closeCarrier(): void {
    this.#carrier.closed(this.#receiver?.close?.());
  }
}
