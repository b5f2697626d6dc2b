/**
 * An upstream and its health.
 *
 * @module
 */
import { formatRemote, type Remote } from "../../endpoint/remote.ts";

/**
 * The pause after an upstream failed, in milliseconds. It doubles with every failure from `first`
 * to `last`.
 */
const PAUSE = { first: 500, last: 30_000 };

/** One upstream. It is up until an attempt fails, and again when one succeeds. */
export class Upstream {
  /** Where it is. */
  readonly remote: Remote;
  /** The same as text. */
  readonly name: string;
  /** The number of its clients, those included that are being connected. */
  live = 0;

  #failures = 0;
  #failedAt = -Infinity;
  #isOnTrial = false;

  /** Starts as up. */
  constructor(remote: Remote) {
    this.remote = remote;
    this.name = formatRemote(remote);
  }

  /** Whether the last attempt succeeded. */
  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Consecutive failures. */
  get failures(): number {
    return this.#failures;
  }

  /** Sets the number of consecutive failures that another thread has found. */
  adopt(failures: number): void {
    this.#failures = failures;
    if (failures > 0) this.#failedAt = performance.now();
  }

  /** The pause after its last failure in milliseconds. */
  get pause(): number {
    return Math.min(PAUSE.first * 2 ** (this.#failures - 1), PAUSE.last);
  }

  /**
   * Whether the next client should try it: it is up, or its pause is over and no attempt is
   * running.
   */
  get isDue(): boolean {
    if (this.isUp) return true;
    return !this.#isOnTrial && performance.now() >= this.#failedAt + this.pause;
  }

  /** Starts an attempt. The caller reports its outcome. */
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
        const isChange = !this.isUp;
        this.#failures = 0;
        return isChange;
      },
      failed: () => {
        end();
        // An attempt that started before the last failure was known is part of that failure.
        if (begun < this.#failedAt) return false;
        this.#failures++;
        this.#failedAt = performance.now();
        return true;
      },
      abandoned: end,
    };
  }
}

/** The outcome of an attempt, reported once. */
export interface Attempt {
  /** The upstream is up. Returns whether it was down. */
  succeeded(): boolean;
  /** The upstream is down. Returns whether it was up. */
  failed(): boolean;
  /** The outcome is unknown: the client disconnected, or this machine lacked a resource. */
  abandoned(): void;
}
