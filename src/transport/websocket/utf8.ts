/**
 * UTF-8 in pieces: text messages must be valid (RFC 6455, section 8.1), also across fragments.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";

/** The longest sequence in bytes. */
const LONGEST = 4;

/**
 * The number of bytes at the end that begin a sequence which is not complete; 0 if there are none, or
 * they are not valid anyway.
 */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back < LONGEST && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return lengthOf(byte) > back ? back : 0;
  }
  return 0;
}

/** The length of the sequence that a byte begins; 0 for none. */
function lengthOf(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/** Checks text that arrives in pieces. */
export class Utf8Check {
  readonly #held = new Uint8Array(LONGEST);
  #length = 0;

  /** Whether the next bytes can continue valid text. */
  push(bytes: Uint8Array): boolean {
    let start = 0;
    if (this.#length > 0) {
      const size = lengthOf(this.#held[0]!);
      while (this.#length < size && start < bytes.length) {
        const byte = bytes[start++]!;
        if ((byte & 0xc0) !== 0x80) return false;
        this.#held[this.#length++] = byte;
      }
      if (this.#length < size) return true;
      this.#length = 0;
      if (!isUtf8(this.#held.subarray(0, size))) return false;
    }
    const rest = bytes.subarray(start);
    const tail = incompleteTail(rest);
    this.#held.set(rest.subarray(rest.length - tail));
    this.#length = tail;
    return isUtf8(rest.subarray(0, rest.length - tail));
  }

  /** Whether the text is complete. Starts the next one. */
  end(): boolean {
    const isComplete = this.#length === 0;
    this.#length = 0;
    return isComplete;
  }
}
