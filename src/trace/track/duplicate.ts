/**
 * Detects packets captured more than once: on both ports of a bridge, or by a mirror port.
 *
 * @module
 */
import type { End } from "./end.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";
import { MIN_RTO } from "./retransmission_timers.ts";

/** Maximum delay of a duplicate without an IP identification, in milliseconds. */
const MIRROR_DELAY = 0.1;
/** The same for a flow that already had duplicates. */
const KNOWN_MIRROR_DELAY = 1;

/** Number of recent segments compared, as duplicates from two interfaces interleave. */
const MAX_RECENT = 4;

/** Field offsets within one segment's entry in {@linkcode End.recentSegments}. */
const HASH = 0;
const CHECKSUM = 1;
const TIME = 2;
const INTERFACE = 3;
const FIELDS = 4;

/**
 * Whether the segment duplicates a recent one of the same end.
 *
 * @param isMirrored whether the flow had duplicates before
 */
export function isDuplicate(end: End, segment: Segment, isMirrored: boolean): boolean {
  const { recentSegments, recentCount } = end;
  if (recentCount === 0) return false;
  const hash = hashOf(segment);
  const stop = Math.min(recentCount, MAX_RECENT) * FIELDS;
  for (let at = 0; at < stop; at += FIELDS) {
    if (recentSegments[at + HASH] !== hash) continue;
    if (isWithinDuplicateDelay(recentSegments, at, { segment, isMirrored })) return true;
  }
  return false;
}

/** Whether the delay is too short for a retransmission. */
function isWithinDuplicateDelay(
  recent: readonly number[],
  at: number,
  { segment, isMirrored }: { segment: Segment; isMirrored: boolean },
): boolean {
  const delay = Math.abs(segment.time - (recent[at + TIME] ?? 0));
  const device = recent[at + INTERFACE] ?? 0;
  const isOtherInterface = device !== segment.interface && device !== 0 && segment.interface !== 0;
  if (isOtherInterface) return delay < MIN_RTO;
  if (recent[at + CHECKSUM] !== segment.checksum) return false;
  // Identical ACKs may be legitimate duplicate ACKs (RFC 5681, 3.2).
  const occupiesSequence = segment.length > 0 || (segment.flags & (SYN | FIN | RST)) !== 0;
  const isComparable = occupiesSequence || isMirrored;
  // A retransmission has another IP identification.
  if (segment.identification !== 0) {
    return delay < (isComparable ? MIN_RTO : MIRROR_DELAY);
  }
  return isComparable && delay < (isMirrored ? KNOWN_MIRROR_DELAY : MIRROR_DELAY);
}

/** Stores the segment for comparison with later ones. */
export function rememberSegment(end: End, segment: Segment): void {
  const { recentSegments } = end;
  const at = end.recentCount % MAX_RECENT * FIELDS;
  end.recentCount += 1;
  recentSegments[at + HASH] = hashOf(segment);
  recentSegments[at + CHECKSUM] = segment.checksum;
  recentSegments[at + TIME] = segment.time;
  recentSegments[at + INTERFACE] = segment.interface;
}

/**
 * Hash of the fields that duplicates share; excludes the checksum, which offloading leaves unset.
 */
function hashOf(segment: Segment): number {
  const { seq, ack, flags, length, window, identification } = segment;
  let hash = mix(seq, ack);
  hash = mix(hash, flags | identification << 16);
  hash = mix(hash, length);
  return mix(hash, window);
}

/** Mixing step of MurmurHash3. */
function mix(hash: number, value: number): number {
  let next = Math.imul(hash ^ Math.imul(value, 0xcc9e2d51), 0x85ebca6b);
  next ^= next >>> 13;
  return Math.imul(next, 0xc2b2ae35) ^ next >>> 16;
}
