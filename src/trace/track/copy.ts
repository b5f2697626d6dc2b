/**
 * The same segment seen twice: a capture on all interfaces shows what passes a bridge once for each side,
 * and a mirror port may send all that it sees two times.
 *
 * @module
 */
import type { End, Sighting } from "./end.ts";
import { FIN, RST, type Segment, SYN } from "../decode/segment.ts";

/** The least time in which TCP sends a segment again for want of an answer, in milliseconds. */
const LEAST_RETRANSMISSION = 200;

/** Without an IP identification, only what comes within this time is taken for a copy. */
const MIRROR_DELAY = 1;

/** Copies of two interfaces interleave: how many segments of an end are remembered. */
const REMEMBERED = 4;

/**
 * Whether the end sent just this a moment ago.
 *
 * @param isMirrored whether copies of this flow were seen before
 */
export function isCopy(end: End, segment: Segment, isMirrored: boolean): boolean {
  const { sightings } = end;
  if (sightings === undefined) return false;
  for (const sighting of sightings) {
    if (isSame(sighting, segment) && isTooSoon(sighting, segment, isMirrored)) return true;
  }
  return false;
}

function isSame(sighting: Sighting, segment: Segment): boolean {
  return sighting.seq === segment.seq && sighting.ack === segment.ack &&
    sighting.flags === segment.flags && sighting.length === segment.length &&
    sighting.window === segment.window && sighting.identification === segment.identification;
}

/** Whether TCP cannot have sent the same again after so short a time. */
function isTooSoon(sighting: Sighting, segment: Segment, isMirrored: boolean): boolean {
  const delay = Math.abs(segment.at - sighting.at);
  const isElsewhere = sighting.interface !== segment.interface &&
    sighting.interface * segment.interface !== 0;
  if (isElsewhere) return delay < LEAST_RETRANSMISSION;
  if (sighting.checksum !== segment.checksum) return false;
  // ACKs may rightly follow each other: they ask for what was lost (RFC 5681, section 3.2).
  const isSending = segment.length > 0 || (segment.flags & (SYN | FIN | RST)) !== 0;
  const isTellable = isSending || isMirrored;
  // A datagram that is sent again has another identification, where it has one.
  if (segment.identification !== 0) {
    return delay < (isTellable ? LEAST_RETRANSMISSION : MIRROR_DELAY);
  }
  return isTellable && delay < MIRROR_DELAY;
}

/** Notes what the end sent. */
export function recordSighting(end: End, segment: Segment): void {
  end.sightings ??= [];
  const sighting = end.sightings[end.sighted % REMEMBERED] ??= { ...NOTHING };
  end.sighted += 1;
  sighting.seq = segment.seq;
  sighting.ack = segment.ack;
  sighting.flags = segment.flags;
  sighting.length = segment.length;
  sighting.window = segment.window;
  sighting.checksum = segment.checksum;
  sighting.identification = segment.identification;
  sighting.at = segment.at;
  sighting.interface = segment.interface;
}

const NOTHING: Sighting = {
  seq: 0,
  ack: 0,
  flags: 0,
  length: 0,
  window: 0,
  checksum: 0,
  identification: 0,
  at: 0,
  interface: 0,
};
