/**
 * The same segment seen twice: a capture on all interfaces shows what passes a bridge once for each side,
 * and a mirror port may send all that it sees two times.
 *
 * @module
 */
import type { End } from "./end.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";

/** The least time in which TCP sends a segment again for want of an answer, in milliseconds. */
const LEAST_RETRANSMISSION = 200;
/** Without an IP identification, only what comes within this time is taken for a copy, in milliseconds. */
const MIRROR_DELAY = 0.1;
/** The same, once others of the flow were copied. */
const KNOWN_MIRROR_DELAY = 1;

/** Copies of two interfaces interleave: how many segments of an end are remembered. */
const REMEMBERED = 4;

/** Where in {@linkcode End.sightings} the parts of each segment lie. */
const FINGERPRINT = 0;
const CHECKSUM = 1;
const TIME = 2;
const INTERFACE = 3;
const PARTS = 4;

/**
 * Whether the end sent just this a moment ago.
 *
 * @param isMirrored whether copies of this flow were seen before
 */
export function isCopy(end: End, segment: Segment, isMirrored: boolean): boolean {
  const { sightings, sighted } = end;
  if (sighted === 0) return false;
  const print = fingerprint(segment);
  const stop = Math.min(sighted, REMEMBERED) * PARTS;
  for (let place = 0; place < stop; place += PARTS) {
    if (sightings[place + FINGERPRINT] !== print) continue;
    if (isTooSoon(sightings, place, { segment, isMirrored })) return true;
  }
  return false;
}

/** Whether TCP cannot have sent the same again after so short a time. */
function isTooSoon(
  sightings: readonly number[],
  place: number,
  { segment, isMirrored }: { segment: Segment; isMirrored: boolean },
): boolean {
  const delay = Math.abs(segment.at - (sightings[place + TIME] ?? 0));
  const device = sightings[place + INTERFACE] ?? 0;
  const isElsewhere = device !== segment.interface && device !== 0 && segment.interface !== 0;
  if (isElsewhere) return delay < LEAST_RETRANSMISSION;
  if (sightings[place + CHECKSUM] !== segment.checksum) return false;
  // ACKs may rightly follow each other: they ask for what was lost (RFC 5681, section 3.2).
  const isSending = segment.length > 0 || (segment.flags & (SYN | FIN | RST)) !== 0;
  const isTellable = isSending || isMirrored;
  // A datagram that is sent again has another identification, where it has one.
  if (segment.identification !== 0) {
    return delay < (isTellable ? LEAST_RETRANSMISSION : MIRROR_DELAY);
  }
  return isTellable && delay < (isMirrored ? KNOWN_MIRROR_DELAY : MIRROR_DELAY);
}

/** Notes what the end sent. */
export function recordSighting(end: End, segment: Segment): void {
  const { sightings } = end;
  const place = end.sighted % REMEMBERED * PARTS;
  end.sighted += 1;
  sightings[place + FINGERPRINT] = fingerprint(segment);
  sightings[place + CHECKSUM] = segment.checksum;
  sightings[place + TIME] = segment.at;
  sightings[place + INTERFACE] = segment.interface;
}

/** 32 bits of all that copies have in common, also where a checksum was offloaded and is not there yet. */
function fingerprint(segment: Segment): number {
  const { seq, ack, flags, length, window, identification } = segment;
  let print = mixed(seq, ack);
  print = mixed(print, flags | identification << 16);
  print = mixed(print, length);
  return mixed(print, window);
}

/** MurmurHash3's rounds. */
function mixed(hash: number, value: number): number {
  let next = Math.imul(hash ^ Math.imul(value, 0xcc9e2d51), 0x85ebca6b);
  next ^= next >>> 13;
  return Math.imul(next, 0xc2b2ae35) ^ next >>> 16;
}
