/**
 * The read buffer of a connection. A pending read holds its buffer, so idle connections cost as
 * much as their buffers: it starts small, grows while reads fill it, and shrinks when they do not.
 *
 * @module
 */

const SMALLEST = 512;
const LARGEST = 256 * 1024;
const STEP = 4;

/** A buffer that adapts its size to the reads. */
export class ReadBuffer {
  #space: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST);

  /** The buffer for the next read. */
  get space(): Uint8Array<ArrayBuffer> {
    return this.#space;
  }

  /** The first `length` bytes, valid until the next read. Adapts the size for the next read. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const space = this.#space;
    const size = space.length;
    if (length === size) {
      if (size < LARGEST) this.#space = new Uint8Array(Math.min(size * STEP, LARGEST));
    } else if (size > SMALLEST && length * STEP * STEP < size) {
      this.#space = new Uint8Array(Math.max(size / STEP, SMALLEST));
    }
    return space.subarray(0, length);
  }
}
