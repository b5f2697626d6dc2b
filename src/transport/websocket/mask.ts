/**
 * Masking (RFC 6455, section 5.3): clients XOR each payload with a key of four bytes.
 *
 * @module
 */

/** Below this length, a view of words costs more than it saves. */
const SHORT = 48;

/** Random bytes for keys, drawn many at a time. */
const pool = new Uint8Array(4096);
let used = pool.length;

/** A key that nobody can predict. It is valid until the next call: copy it. */
export function maskingKey(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += 4;
  return pool.subarray(used - 4, used);
}

/** The mask of one frame, which may arrive in pieces. */
export class Mask {
  readonly #key = new Uint8Array(4);
  readonly #turned = new Uint8Array(4);
  readonly #word = new Uint32Array(this.#turned.buffer);
  #at = 0;

  /** Starts another frame. */
  start(key: Uint8Array): void {
    this.#key.set(key);
    this.#at = 0;
  }

  /** Masks or unmasks the next bytes of the frame in place, by words of four bytes. */
  apply(bytes: Uint8Array, { from, to }: { from: number; to: number }): void {
    let at = from;
    if (to - from >= SHORT) {
      const lead = -(bytes.byteOffset + from) & 3;
      this.#applyBytes(bytes, { from, to: from + lead });
      for (let i = 0; i < 4; i++) this.#turned[i] = this.#key[(this.#at + i) & 3]!;
      const word = this.#word[0]!;
      const words = new Uint32Array(
        bytes.buffer,
        bytes.byteOffset + from + lead,
        to - from - lead >> 2,
      );
      for (let i = 0; i < words.length; i++) words[i]! ^= word;
      at = from + lead + words.length * 4;
    }
    this.#applyBytes(bytes, { from: at, to });
  }

  #applyBytes(bytes: Uint8Array, { from, to }: { from: number; to: number }): void {
    let at = this.#at;
    for (let i = from; i < to; i++) bytes[i]! ^= this.#key[at++ & 3]!;
    this.#at = at & 3;
  }
}
