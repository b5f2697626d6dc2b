/**
 * Observers of a connection's bytes.
 *
 * @module
 */

/** Gets a connection's bytes. They are only valid during the call: copy what is kept. */
export interface Tap {
  /** Bytes have come from the client. */
  received(bytes: Uint8Array): void;
  /** The kernel has taken bytes for the client. */
  sent(bytes: Uint8Array): void;
}

/** The destination of a client's bytes. */
export interface Sink {
  /** Whether a write is pending. */
  readonly writing: boolean;
  /** Bytes written so far. */
  readonly bytesOut: number;
  /** Bytes that the kernel has taken and the peer has not; `undefined` where that is not known. */
  readonly unacknowledged: number | undefined;
}

/** All taps of one connection. */
export class Taps implements Tap {
  readonly #taps = new Set<Tap>();
  readonly #onLast: () => void;

  /** No taps yet. `onLast` is called when the last one is removed. */
  constructor(onLast: () => void) {
    this.#onLast = onLast;
  }

  /** Adds a tap until the subscription is disposed. */
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
