/**
 * CRLF line endings.
 *
 * @module
 */

const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;

/** Inserts a CR before every LF that lacks one, also across chunks. */
export class CrlfEncoder {
  #last: number | undefined;

  /** The next chunk: the same bytes if it lacks no CR, otherwise a copy. */
  encode(chunk: Uint8Array): Uint8Array {
    const missing = this.#count(chunk);
    if (missing === 0) {
      this.#last = chunk.at(-1) ?? this.#last;
      return chunk;
    }
    const widened = new Uint8Array(chunk.length + missing);
    let length = 0;
    let before = this.#last;
    for (const byte of chunk) {
      if (byte === NEWLINE && before !== CARRIAGE_RETURN) widened[length++] = CARRIAGE_RETURN;
      widened[length++] = byte;
      before = byte;
    }
    this.#last = before;
    return widened;
  }

  #count(chunk: Uint8Array): number {
    let missing = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) {
      if ((at === 0 ? this.#last : chunk[at - 1]) !== CARRIAGE_RETURN) missing++;
    }
    return missing;
  }
}

/** Inserts the CRs in a stream of chunks. */
export async function* withCrlf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const encoder = new CrlfEncoder();
  for await (const chunk of chunks) yield encoder.encode(chunk);
}
