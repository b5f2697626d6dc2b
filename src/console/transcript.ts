/**
 * The last bytes of a connection in both directions, with timestamps.
 *
 * @module
 */
import type { Tap } from "../connection/observers.ts";

/** The maximum number of bytes that are kept for each direction. */
const MAX_BYTES = 64 * 1024;

/** The maximum number of pieces that are kept. */
const MAX_PIECES = 512;

/** Bytes within `moment` milliseconds are merged into one piece of up to `size` bytes. */
const PIECE = { moment: 5, size: 4 * 1024 };

/** From the peer, or to it. */
export type Direction = "in" | "out";

/** Bytes that were received or sent at one time. */
export interface Piece {
  /** The direction. */
  readonly direction: Direction;
  /** The time, in milliseconds since 1970. */
  readonly at: number;
  /** The number of bytes in that direction before this piece. */
  readonly offset: number;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/** Records the bytes of a connection. New pieces evict the oldest. */
export class Transcript implements Tap {
  #pieces: Piece[] = [];
  readonly #sizes = { in: 0, out: 0 };
  readonly #offsets: Record<Direction, number>;

  /** Starts after the bytes that are already counted. */
  constructor({ bytesIn, bytesOut }: { bytesIn: number; bytesOut: number }) {
    this.#offsets = { in: bytesIn, out: bytesOut };
  }

  /** The recorded pieces, the oldest first. */
  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** Returns and removes the recorded pieces. */
  take(): readonly Piece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#sizes.in = this.#sizes.out = 0;
    return pieces;
  }

  /** Records bytes from the peer. */
  received(bytes: Uint8Array): void {
    this.#note("in", bytes);
  }

  /** Records bytes to the peer. */
  sent(bytes: Uint8Array): void {
    this.#note("out", bytes);
  }

  #note(direction: Direction, bytes: Uint8Array): void {
    const at = Date.now();
    const tail = bytes.subarray(Math.max(0, bytes.length - MAX_BYTES));
    const offset = this.#offsets[direction] + bytes.length - tail.length;
    this.#offsets[direction] += bytes.length;
    this.#sizes[direction] += tail.length;
    const last = this.#pieces.at(-1);
    if (last && belongTogether(last, { direction, at, offset, bytes: tail })) {
      this.#pieces[this.#pieces.length - 1] = { ...last, bytes: joined(last.bytes, tail) };
    } else {
      this.#pieces.push({ direction, at, offset, bytes: tail.slice() });
    }
    this.#evict(direction);
  }

  /** Evicts the oldest pieces until the rest fits. */
  #evict(direction: Direction): void {
    while (this.#sizes[direction] > MAX_BYTES) {
      const at = this.#pieces.findIndex((piece) => piece.direction === direction);
      this.#drop(at);
    }
    while (this.#pieces.length > MAX_PIECES) this.#drop(0);
  }

  #drop(at: number): void {
    const [piece] = this.#pieces.splice(at, 1);
    this.#sizes[piece!.direction] -= piece!.bytes.length;
  }
}

function belongTogether(last: Piece, next: Piece): boolean {
  return last.direction === next.direction && next.at - last.at <= PIECE.moment &&
    last.offset + last.bytes.length === next.offset &&
    last.bytes.length + next.bytes.length <= PIECE.size;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
