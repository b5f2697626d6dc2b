/**
 * Arithmetic of sequence numbers, which wrap.
 *
 * @module
 */
/**
 * How far `to` lies behind `from` in the sequence space of RFC 9293, section 3.4, which wraps at
 * 2^32: negative where `to` comes first.
 */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** The sequence number `count` further on. */
export function advance(seq: number, count: number): number {
  return (seq + count) >>> 0;
}
