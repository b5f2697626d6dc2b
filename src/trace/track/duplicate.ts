/**
 * The same segment seen twice: a capture on all interfaces shows what passes a bridge once for each side,
 * and a mirror port may send all that it sees two times.
 *
 * @module
 */
import type { End } from "./end.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";

/** The least time in which TCP sends a segment again for want of an answer, in milliseconds. */
const MIN_RTO = 200;
/** Without an IP identification, only what comes within this time is taken for a copy, in milliseconds. */
const MIRROR_DELAY = 0.1;
/** The same, once others of the flow were copied. */
const KNOWN_MIRROR_DELAY = 1;

/** Copies of two interfaces interleave: how many segments of an end are remembered. */
const MAX_RECENT = 4;

/** Where in {@linkcode End.recentSegments} the parts of each segment lie. */
const FINGERPRINT = 0;
const CHECKSUM = 1;
const TIME = 2;
const INTERFACE = 3;
const FIELDS = 4;

/**
 * Whether the end sent just this a moment ago.
 *
 * @param isMirrored whether copies of this flow were seen before
 */
export function isDuplicate(end: End, segment: Segment, isMirrored: boolean): boolean {
  const { recentSegments, recentCount } = end;
  if (recentCount === 0) return false;
  const print = fingerprint(segment);
  const stop = Math.min(recentCount, MAX_RECENT) * FIELDS;
  for (let place = 0; place < stop; place += FIELDS) {
    if (recentSegments[place + FINGERPRINT] !== print) continue;
    if (isWithinDuplicateDelay(recentSegments, place, { segment, isMirrored })) return true;
  }
  return false;
}

/** Whether TCP cannot have sent the same again after so short a time. */
function isWithinDuplicateDelay(
  sightings: readonly number[],
  place: number,
  { segment, isMirrored }: { segment: Segment; isMirrored: boolean },
): boolean {
  const delay = Math.abs(segment.time - (sightings[place + TIME] ?? 0));
  const device = sightings[place + INTERFACE] ?? 0;
  const isElsewhere = device !== segment.interface && device !== 0 && segment.interface !== 0;
  if (isElsewhere) return delay < MIN_RTO;
  if (sightings[place + CHECKSUM] !== segment.checksum) return false;
  // ACKs may rightly follow each other: they ask for what was lost (RFC 5681, section 3.2).
  const isSending = segment.length > 0 || (segment.flags & (SYN | FIN | RST)) !== 0;
  const isTellable = isSending || isMirrored;
  // A datagram that is sent again has another identification, where it has one.
  if (segment.identification !== 0) {
    return delay < (isTellable ? MIN_RTO : MIRROR_DELAY);
  }
  return isTellable && delay < (isMirrored ? KNOWN_MIRROR_DELAY : MIRROR_DELAY);
}

/** Notes what the end sent. */
export function rememberSegment(end: End, segment: Segment): void {
  const { recentSegments } = end;
  const place = end.recentCount % MAX_RECENT * FIELDS;
  end.recentCount += 1;
  recentSegments[place + FINGERPRINT] = fingerprint(segment);
  recentSegments[place + CHECKSUM] = segment.checksum;
  recentSegments[place + TIME] = segment.time;
  recentSegments[place + INTERFACE] = segment.interface;
}

/** 32 bits of all that copies have in common, also where a checksum was offloaded and is not there yet. */
function fingerprint(segment: Segment): number {
  const { seq, ack, flags, length, window, identification } = segment;
  let print = mix(seq, ack);
  print = mix(print, flags | identification << 16);
  print = mix(print, length);
  return mix(print, window);
}

/** MurmurHash3's rounds. */
function mix(hash: number, value: number): number {
  let next = Math.imul(hash ^ Math.imul(value, 0xcc9e2d51), 0x85ebca6b);
  next ^= next >>> 13;
  return Math.imul(next, 0xc2b2ae35) ^ next >>> 16;
}
