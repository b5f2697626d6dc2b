/**
 * Backpressure for a Node stream that always flows.
 *
 * @module
 */
import { nextTurn } from "../../scheduling/turn_budget.ts";

/** The default size of one read in bytes: a little over three maximum TLS records. */
const READ_SIZE = 64 * 1024;

/** The default high-water mark, in bytes. */
const HIGH_WATER_MARK = 256 * 1024;

/** Options of {@linkcode FlowControl}. */
export interface FlowControlOptions {
  /** Whether TLS is above the stream. Default: true. */
  readonly belowTls?: boolean;
  /** What may wait before reading pauses, in units of {@linkcode FlowControl.add}. Default: 256 KiB. */
  readonly highWaterMark?: number;
  /** The size of one read in bytes. Default: 64 KiB. */
  readonly readSize?: number;
}

/** Pauses the stream below while too much of it waits to be handled, and records how it ended. */
export class FlowControl {
  /** Whether the stream above ended by itself: the peer announced the end of its data. */
  hasEnded = false;
  /** Whether the stream below ended before that: data may be missing. */
  isCutOff = false;
  /** The size of one read in bytes. */
  readonly readSize: number;
  readonly #isBelowTls: boolean;
  readonly #highWaterMark: number;
  #waiting = 0;
  #open: (() => void) | undefined;

  /** Nothing waits yet. */
  constructor(
    { belowTls = true, highWaterMark = HIGH_WATER_MARK, readSize = READ_SIZE }: FlowControlOptions =
      {},
  ) {
    this.#isBelowTls = belowTls;
    this.#highWaterMark = highWaterMark;
    this.readSize = readSize;
  }

  /** Adds what was received: bytes, or whatever the high-water mark counts. */
  add(units: number): void {
    this.#waiting += units;
  }

  /** Subtracts what was handled. */
  take(units: number): void {
    this.#waiting -= units;
    if (this.#waiting < this.#highWaterMark) this.#open?.();
  }

  /** Resolves when more may be received. */
  async ready(): Promise<void> {
    if (this.#waiting < this.#highWaterMark) return;
    await new Promise<void>((resolve) => this.#open = resolve);
  }

  /**
   * Records the end of the stream below, a turn later, when the data before it has been decrypted.
   */
  async end(): Promise<void> {
    if (!this.#isBelowTls) return;
    await nextTurn();
    await nextTurn();
    this.isCutOff = !this.hasEnded;
  }
}
