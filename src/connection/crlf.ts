/**
 * CRLF line endings.
 *
 * @module
 */

const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;

/** Inserts a CR before every LF that lacks one, also across chunks. */
export async function* withCrlf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let before: number | undefined;
  for await (const chunk of chunks) {
    const widened = new Uint8Array(chunk.length * 2);
    let length = 0;
    for (const byte of chunk) {
      if (byte === NEWLINE && before !== CARRIAGE_RETURN) widened[length++] = CARRIAGE_RETURN;
      widened[length++] = byte;
      before = byte;
    }
    yield widened.subarray(0, length);
  }
}
