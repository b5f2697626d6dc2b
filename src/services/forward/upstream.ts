/**
 * A place that clients are forwarded to, and what is known of its health.
 *
 * @module
 */
import { type Address, formatAddress } from "../../endpoint/address.ts";

/** How long an upstream that failed is left alone, in milliseconds; the pause doubles with every failure. */
const PAUSE = { first: 500, last: 30_000 };

/** One upstream. It is up until an attempt fails, and again as soon as one succeeds. */
export class Upstream {
  /** Where it is. */
  readonly address: Address;
  /** The same, as people write it. */
  readonly name: string;
  /** How many clients are forwarded to it now, those included that are being connected. */
  live = 0;

  #failures = 0;
  #failedAt = -Infinity;
  #isOnTrial = false;

  /** Takes it to be up. */
  constructor(address: Address) {
    this.address = address;
    this.name = formatAddress(address);
  }

  /** Whether the last attempt succeeded. */
  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Takes over what another thread has found out. */
  adopt(failures: number): void {
    this.#failures = failures;
    if (failures > 0) this.#failedAt = performance.now();
  }

  /** How long to leave it alone after its latest failure, in milliseconds. */
  get pause(): number {
    return Math.min(PAUSE.first * 2 ** (this.#failures - 1), PAUSE.last);
  }

  /** Whether the next client should try it: it is up, or has been left alone for long enough. One at a time. */
  get isDue(): boolean {
    if (this.isUp) return true;
    return !this.#isOnTrial && performance.now() >= this.#failedAt + this.pause;
  }

  /** Begins an attempt; what is returned is to be told how it went. */
  attempt(): Attempt {
    const begun = performance.now();
    const isTrial = !this.isUp && !this.#isOnTrial;
    if (isTrial) this.#isOnTrial = true;
    const end = () => {
      if (isTrial) this.#isOnTrial = false;
    };
    return {
      succeeded: () => {
        end();
        const isNews = !this.isUp;
        this.#failures = 0;
        return isNews;
      },
      failed: () => {
        end();
        // Attempts that began before the latest failure was known are part of it.
        if (begun < this.#failedAt) return false;
        this.#failures++;
        this.#failedAt = performance.now();
        return true;
      },
      abandoned: end,
    };
  }
}

/** How an attempt went, to be told once. */
export interface Attempt {
  /** It is up. Returns whether that is news. */
  succeeded(): boolean;
  /** It is down. Returns whether that is news. */
  failed(): boolean;
  /** Nothing can be said of it: the client has left, or this machine could not even try. */
  abandoned(): void;
}
