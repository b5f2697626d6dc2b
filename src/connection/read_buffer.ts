/**
 * The buffer that a connection's next bytes are read into. A pending read pins its buffer, so ten
 * thousand idle connections cost what ten thousand buffers cost: it starts small, grows while reads
 * fill it, and shrinks when they no longer do.
 *
 * @module
 */

const SMALLEST = 512;
const LARGEST = 256 * 1024;
const STEP = 4;

/** A buffer that fits itself to what arrives. */
export class ReadBuffer {
  #space: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST);

  /** Where the next read should put its bytes. */
  get space(): Uint8Array<ArrayBuffer> {
    return this.#space;
  }

  /** The first `length` bytes just read, valid until the next read; refits the space for that one. */
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
