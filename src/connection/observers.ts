/**
 * What others see of a connection, and what a connection sees of where its bytes go.
 *
 * @module
 */

/** Sees what comes and goes. The bytes are only valid during the call: copy what is to be kept. */
export interface Tap {
  /** Bytes have come from the client. */
  received(bytes: Uint8Array): void;
  /** The kernel has taken bytes for the client. */
  sent(bytes: Uint8Array): void;
}

/** Where what the client sends is passed on to. */
export interface Sink {
  /** Whether bytes wait there to be taken. */
  readonly writing: boolean;
  /** Bytes that were taken there so far. */
  readonly bytesOut: number;
  /** Bytes that the kernel has taken and the peer has not; `undefined` where that is not known. */
  readonly unacknowledged: number | undefined;
}

/** All who see one connection. */
export class Taps implements Tap {
  readonly #taps = new Set<Tap>();
  readonly #onLast: () => void;

  /** Nobody sees it yet; `onLast` is called when nobody does any more. */
  constructor(onLast: () => void) {
    this.#onLast = onLast;
  }

  /** Lets somebody see it until the subscription is disposed. */
  add(tap: Tap): Disposable {
    this.#taps.add(tap);
    return {
      [Symbol.dispose]: () => {
        if (this.#taps.delete(tap) && this.#taps.size === 0) this.#onLast();
      },
    };
  }

  /** Bytes have come from the client. */
  received(bytes: Uint8Array): void {
    for (const tap of this.#taps) tap.received(bytes);
  }

  /** The kernel has taken bytes for the client. */
  sent(bytes: Uint8Array): void {
    for (const tap of this.#taps) tap.sent(bytes);
  }
}
