/**
 * What comes from a bus, which brings what gathered somewhere all at once: a megabyte after an outage, say.
 *
 * @module
 */

/** Bytes that are taken before whoever they are for gets a moment to read them. */
const BURST = 32 * 1024;

/** Bytes that may wait for that moment to pass. */
const LIMIT = 1024 * 1024;

/** Takes messages in order, at the pace of those who read them. */
export class ReceiveQueue {
  readonly #take: (message: Uint8Array) => void;
  readonly #pause: () => Promise<void>;
  readonly #queue: Uint8Array[] = [];
  #waiting = 0;
  /** Bytes since the last pause. */
  #taken = 0;
  #pausing = false;

  /** `pause` resolves when more can be taken, or soon in any case. */
  constructor(take: (message: Uint8Array) => void, pause: () => Promise<void>) {
    this.#take = take;
    this.#pause = pause;
  }

  /** Takes a message, now or after a pause. One that finds no room is let go: who sent it keeps it, and is asked. */
  put(message: Uint8Array): void {
    if (!this.#pausing) return this.#open(message);
    if (this.#waiting + message.length > LIMIT) return;
    this.#waiting += message.length;
    this.#queue.push(message);
  }

  #open(message: Uint8Array): void {
    this.#take(message);
    this.#taken += message.length;
    if (this.#taken >= BURST) this.#rest();
  }

  async #rest(): Promise<void> {
    this.#pausing = true;
    await this.#pause();
    this.#pausing = false;
    this.#taken = 0;
    while (!this.#pausing && this.#queue.length > 0) {
      const message = this.#queue.shift()!;
      this.#waiting -= message.length;
      this.#open(message);
    }
  }
}
