/**
 * A buffer that holds only the unparsed part of a stream.
 *
 * @module
 */
/** The received and not yet parsed bytes of a stream, in one reused buffer. */
export class ByteWindow {
  /** The buffer; valid from {@linkcode start} to {@linkcode end}. */
  view: DataView = new DataView(new ArrayBuffer(256 * 1024));
  /** Offset of the first unparsed byte in {@linkcode view}. */
  start = 0;
  /** Offset after the last received byte in {@linkcode view}. */
  end = 0;
  /** Stream offset of {@linkcode start}, in bytes. */
  offset = 0;
  /** Skipped bytes that have not been received yet. */
  #pendingSkip = 0;

  /** Number of unparsed bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** Number of skipped bytes that have not been received yet. */
  get pendingSkip(): number {
    return this.#pendingSkip;
  }

  /** Appends a copy of a chunk; bytes that were already skipped are dropped. */
  append(chunk: Uint8Array): void {
    const late = Math.min(this.#pendingSkip, chunk.length);
    this.#pendingSkip -= late;
    const rest = late === 0 ? chunk : chunk.subarray(late);
    if (this.view.byteLength - this.end < rest.length) this.#reserve(rest.length);
    new Uint8Array(this.view.buffer).set(rest, this.end);
    this.end += rest.length;
  }

  /** Advances by `count` bytes, which may be more than have been received. */
  skip(count: number): void {
    const here = Math.min(count, this.length);
    this.start += here;
    this.offset += count;
    this.#pendingSkip += count - here;
  }

  #reserve(wanted: number): void {
    const unread = new Uint8Array(this.view.buffer, this.start, this.length);
    let size = this.view.byteLength;
    while (size < unread.length + wanted) size *= 2;
    if (size > this.view.byteLength) this.view = new DataView(new ArrayBuffer(size));
    new Uint8Array(this.view.buffer).set(unread);
    this.end = unread.length;
    this.start = 0;
  }
}
