/**
 * IEEE 802.11, and the headers that capturing stations put in front of it.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

/** An 802.11 frame behind the header of its link type. */
export function readWireless(c: Dissection): Layer {
  switch (c.next) {
    case 127:
      return readRadiotap(c);
    case 119:
    case 163:
      return readLengthAndSkip(c);
    default:
      return readFrame(c, { isPadded: false });
  }
}

const RADIOTAP_TIMER = 1 << 0;
const RADIOTAP_FLAGS = 1 << 1;
const RADIOTAP_MORE = 1 << 31;
const FLAG_CHECK_SEQUENCE = 0x10;
const FLAG_PADDED = 0x20;

/** Radiotap tells its length, whether a check sequence follows, and whether the header is padded. */
function readRadiotap(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const { view, at: start } = c;
  const length = view.getUint16(start + 2, true);
  if (length < 8) return c.undecoded("malformed");
  if (!c.has(length)) return c.missing(length);
  const fields = view.getUint32(start + 4, true);
  let at = start + 8;
  for (let words = fields; (words & RADIOTAP_MORE) !== 0 && at + 4 <= start + length; at += 4) {
    words = view.getUint32(at, true);
  }
  if ((fields & RADIOTAP_TIMER) !== 0) at = start + Math.ceil((at - start) / 8) * 8 + 8;
  const hasFlags = (fields & RADIOTAP_FLAGS) !== 0 && at < start + length;
  const flags = hasFlags ? view.getUint8(at) : 0;
  if ((flags & FLAG_CHECK_SEQUENCE) !== 0) c.endAt(c.wireEnd - 4);
  c.at = start + length;
  return readFrame(c, { isPadded: (flags & FLAG_PADDED) !== 0 });
}

/** The headers of Prism and AVS: a number, then their length, in the byte order that fits. */
function readLengthAndSkip(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const little = c.view.getUint32(c.at + 4, true);
  const length = Math.min(little, c.view.getUint32(c.at + 4));
  if (length < 8) return c.undecoded("malformed");
  c.at += length;
  return readFrame(c, { isPadded: false });
}

const DATA = 2;
const NO_DATA = 0x40;
const QUALITY_OF_SERVICE = 0x80;
const BOTH_DISTRIBUTION_SYSTEMS = 0x03;
const PROTECTED = 0x40;
const ORDERED = 0x80;
const AGGREGATED = 0x80;

function readFrame(c: Dissection, { isPadded }: { isPadded: boolean }): Layer {
  if (!c.has(2)) return c.missing(2);
  const control = c.view.getUint8(c.at);
  const flags = c.view.getUint8(c.at + 1);
  const type = control >> 2 & 3;
  if (type !== DATA) return c.undecoded("802.11 type", type);
  if ((control & NO_DATA) !== 0) return c.undecoded("802.11 type", DATA);
  if ((flags & PROTECTED) !== 0) return c.undecoded("encrypted 802.11");
  const hasQuality = (control & QUALITY_OF_SERVICE) !== 0;
  let length = 24;
  if ((flags & BOTH_DISTRIBUTION_SYSTEMS) === BOTH_DISTRIBUTION_SYSTEMS) length += 6;
  const quality = length;
  if (hasQuality) length += (flags & ORDERED) !== 0 ? 6 : 2;
  if (!c.has(length)) return c.missing(length);
  if (hasQuality && (c.view.getUint8(c.at + quality) & AGGREGATED) !== 0) {
    return c.undecoded("802.11 A-MSDU");
  }
  if ((c.view.getUint8(c.at + 22) & 0x0f) !== 0) return c.undecoded("fragment");
  return c.behind(isPadded ? Math.ceil(length / 4) * 4 : length, { layer: "802.2", next: 0 });
}
