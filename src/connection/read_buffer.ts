/**
 * The read buffer of a connection. A pending read holds its buffer, so idle connections cost as
 * much as their buffers: it starts small, grows while reads fill it, and shrinks when they do not.
 *
 * @module
 */

const SMALLEST = 512;
const LARGEST = 256 * 1024;
const STEP = 4;

/** The size from which a buffer is large. */
const LARGE = 16 * 1024;

/** The bytes that the large buffers of a thread share; each has at least {@linkcode LARGE} bytes. */
const SHARED = 1024 * 1024;

/** The number of large buffers in this thread. */
let largeBuffers = 0;

/**
 * A buffer that adapts its size to the reads. The more of them are large, the smaller they are:
 * this bounds their memory, and the time that one turn of the event loop takes to read them all.
 */
export class ReadBuffer {
  #space: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST);
  #isReleased = false;

  /** The buffer for the next read. */
  get space(): Uint8Array<ArrayBuffer> {
    return this.#space;
  }

  /** The first `length` bytes, valid until the next read. Adapts the size for the next read. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const space = this.#space;
    const size = space.length;
    if (length === size) {
      const next = Math.min(size * STEP, largest());
      if (next !== size) this.#resize(next);
    } else if (size > SMALLEST && length * STEP * STEP < size) {
      this.#resize(Math.max(Math.floor(size / STEP), SMALLEST));
    }
    return space.subarray(0, length);
  }

  /** Leaves its share to the others. A pending read may still end. */
  release(): void {
    this.#count(SMALLEST);
    this.#isReleased = true;
  }

  #resize(size: number): void {
    this.#count(size);
    this.#space = new Uint8Array(size);
  }

  #count(size: number): void {
    if (this.#isReleased) return;
    largeBuffers += Number(size >= LARGE) - Number(this.#space.length >= LARGE);
  }
}

/** The largest size of a buffer at the moment. */
function largest(): number {
  const share = Math.floor(SHARED / Math.max(largeBuffers, 1));
  return Math.min(Math.max(share, LARGE), LARGEST);
}
