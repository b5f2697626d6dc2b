/**
 * The last bytes of a conversation, each way, with the time they came or went.
 *
 * @module
 */
import type { Tap } from "../connection/observers.ts";

/** The most bytes that are kept each way. */
const KEPT = 64 * 1024;

/** The most pieces that are kept. */
const PIECES = 512;

/** Bytes that come within so many milliseconds of each other are one piece, up to so many bytes. */
const ONE = { moment: 5, size: 4 * 1024 };

/** From the peer, or to it. */
export type Direction = "in" | "out";

/** Bytes that came or went at one time. */
export interface Piece {
  /** Which way. */
  readonly direction: Direction;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** How many bytes came or went that way before. */
  readonly offset: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/** Reads along with a connection. What does not fit pushes out what is oldest. */
export class Transcript implements Tap {
  #pieces: Piece[] = [];
  readonly #sizes = { in: 0, out: 0 };
  readonly #offsets: Record<Direction, number>;

  /** Begins behind the bytes that have come and gone already. */
  constructor({ bytesIn, bytesOut }: { bytesIn: number; bytesOut: number }) {
    this.#offsets = { in: bytesIn, out: bytesOut };
  }

  /** What is kept, the oldest first. */
  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** What is kept, which is then kept no more. */
  take(): readonly Piece[] {
    const taken = this.#pieces;
    this.#pieces = [];
    this.#sizes.in = this.#sizes.out = 0;
    return taken;
  }

  /** Notes bytes from the peer. */
  received(bytes: Uint8Array): void {
    this.#note("in", bytes);
  }

  /** Notes bytes to the peer. */
  sent(bytes: Uint8Array): void {
    this.#note("out", bytes);
  }

  #note(direction: Direction, bytes: Uint8Array): void {
    const at = Date.now();
    const kept = bytes.subarray(Math.max(0, bytes.length - KEPT));
    const offset = this.#offsets[direction] + bytes.length - kept.length;
    this.#offsets[direction] += bytes.length;
    this.#sizes[direction] += kept.length;
    const last = this.#pieces.at(-1);
    if (last && belongTogether(last, { direction, at, offset, bytes: kept })) {
      this.#pieces[this.#pieces.length - 1] = { ...last, bytes: joined(last.bytes, kept) };
    } else {
      this.#pieces.push({ direction, at, offset, bytes: kept.slice() });
    }
    this.#forget(direction);
  }

  /** Lets go of the oldest pieces until the rest fits. */
  #forget(direction: Direction): void {
    while (this.#sizes[direction] > KEPT) {
      const at = this.#pieces.findIndex((piece) => piece.direction === direction);
      this.#drop(at);
    }
    while (this.#pieces.length > PIECES) this.#drop(0);
  }

  #drop(at: number): void {
    const [piece] = this.#pieces.splice(at, 1);
    this.#sizes[piece!.direction] -= piece!.bytes.length;
  }
}

function belongTogether(last: Piece, next: Piece): boolean {
  return last.direction === next.direction && next.at - last.at <= ONE.moment &&
    last.offset + last.bytes.length === next.offset &&
    last.bytes.length + next.bytes.length <= ONE.size;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
