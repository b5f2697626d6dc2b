/**
 * A stream as it arrives, held only as far as it has not been used.
 *
 * @module
 */
/** The part of a stream that has arrived and has not been used yet, in one reused buffer. */
export class ByteWindow {
  /** Reads what is in the window: valid between {@linkcode start} and {@linkcode end}. */
  view: DataView = new DataView(new ArrayBuffer(256 * 1024));
  /** Where in {@linkcode view} the unused bytes begin. */
  start = 0;
  /** Where in {@linkcode view} the unused bytes end. */
  end = 0;
  /** How many bytes of the stream lie before {@linkcode start}. */
  offset = 0;
  /** Bytes that were skipped before they arrived. */
  #pendingSkip = 0;

  /** How many unused bytes there are. */
  get length(): number {
    return this.end - this.start;
  }

  /** How many bytes were skipped that have not arrived. */
  get pendingSkip(): number {
    return this.#pendingSkip;
  }

  /** Copies a chunk behind what is there already. */
  append(chunk: Uint8Array): void {
    const late = Math.min(this.#pendingSkip, chunk.length);
    this.#pendingSkip -= late;
    const rest = late === 0 ? chunk : chunk.subarray(late);
    if (this.view.byteLength - this.end < rest.length) this.#reserve(rest.length);
    new Uint8Array(this.view.buffer).set(rest, this.end);
    this.end += rest.length;
  }

  /** Moves on by `count` bytes, which may lie beyond what has arrived. */
  skip(count: number): void {
    const here = Math.min(count, this.length);
    this.start += here;
    this.offset += count;
    this.#pendingSkip += count - here;
  }

  #reserve(wanted: number): void {
    const kept = new Uint8Array(this.view.buffer, this.start, this.length);
    let size = this.view.byteLength;
    while (size < kept.length + wanted) size *= 2;
    if (size > this.view.byteLength) this.view = new DataView(new ArrayBuffer(size));
    new Uint8Array(this.view.buffer).set(kept);
    this.end = kept.length;
    this.start = 0;
  }
}
