/**
 * Sequence number arithmetic modulo 2^32 (RFC 9293, 3.4).
 *
 * @module
 */
/** `to - from` modulo 2^32, as a signed number: negative if `to` precedes `from`. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** `seq + count` modulo 2^32. */
export function advance(seq: number, count: number): number {
  return (seq + count) >>> 0;
}
