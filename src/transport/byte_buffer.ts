/**
 * Bytes that are collected in many small pieces.
 *
 * @module
 */

/** The size of the first buffer, which doubles when it is full. */
const FIRST_SIZE = 512;

/** Collects bytes in one buffer that grows. */
export class ByteBuffer {
  #space: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_SIZE);
  #length = 0;

  /** The number of bytes. */
  get length(): number {
    return this.#length;
  }

  /** All bytes so far; valid until the next are added. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#space.subarray(0, this.#length);
  }

  /** Adds a copy of the bytes. */
  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#space.length) {
      const larger = new Uint8Array(Math.max(length, this.#space.length * 2));
      larger.set(this.bytes);
      this.#space = larger;
    }
    this.#space.set(bytes, this.#length);
    this.#length = length;
  }
}
