/**
 * IEEE 802.11 frames, with the radiotap, Prism and AVS capture headers.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

/** Reads an 802.11 frame after the capture header of its link type. */
export function readWireless(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case 127:
      return readRadiotap(packet);
    case 119:
    case 163:
      return readPrismOrAvs(packet);
    default:
      return readFrame(packet, { isPadded: false });
  }
}

const RADIOTAP_TIMER = 1 << 0;
const RADIOTAP_FLAGS = 1 << 1;
const RADIOTAP_MORE = 1 << 31;
const FLAG_CHECK_SEQUENCE = 0x10;
const FLAG_PADDED = 0x20;

/** Radiotap header: its length, and whether a frame check sequence or padding follows. */
function readRadiotap(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const { view, offset: start } = packet;
  const length = view.getUint16(start + 2, true);
  if (length < 8) return packet.undecoded("malformed");
  if (!packet.has(length)) return packet.missing(length);
  const fields = view.getUint32(start + 4, true);
  let at = start + 8;
  for (let words = fields; (words & RADIOTAP_MORE) !== 0 && at + 4 <= start + length; at += 4) {
    words = view.getUint32(at, true);
  }
  if ((fields & RADIOTAP_TIMER) !== 0) at = start + Math.ceil((at - start) / 8) * 8 + 8;
  const hasFlags = (fields & RADIOTAP_FLAGS) !== 0 && at < start + length;
  const flags = hasFlags ? view.getUint8(at) : 0;
  if ((flags & FLAG_CHECK_SEQUENCE) !== 0) packet.setEnd(packet.wireEnd - 4);
  packet.offset = start + length;
  return readFrame(packet, { isPadded: (flags & FLAG_PADDED) !== 0 });
}

/** Prism and AVS headers: a number, then the header length in either byte order. */
function readPrismOrAvs(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const little = packet.view.getUint32(packet.offset + 4, true);
  const length = Math.min(little, packet.view.getUint32(packet.offset + 4));
  if (length < 8) return packet.undecoded("malformed");
  packet.offset += length;
  return readFrame(packet, { isPadded: false });
}

const DATA = 2;
const NULL_FUNCTION = 0x40;
const QOS = 0x80;
const TO_DS_FROM_DS = 0x03;
const PROTECTED = 0x40;
const HT_CONTROL = 0x80;
const AMSDU_PRESENT = 0x80;

function readFrame(packet: Dissection, { isPadded }: { isPadded: boolean }): Layer {
  if (!packet.has(2)) return packet.missing(2);
  const control = packet.view.getUint8(packet.offset);
  const flags = packet.view.getUint8(packet.offset + 1);
  const type = control >> 2 & 3;
  if (type !== DATA) return packet.undecoded("802.11 type", type);
  if ((control & NULL_FUNCTION) !== 0) return packet.undecoded("802.11 type", DATA);
  if ((flags & PROTECTED) !== 0) return packet.undecoded("encrypted 802.11");
  const hasQuality = (control & QOS) !== 0;
  let length = 24;
  if ((flags & TO_DS_FROM_DS) === TO_DS_FROM_DS) length += 6;
  const quality = length;
  if (hasQuality) length += (flags & HT_CONTROL) !== 0 ? 6 : 2;
  if (!packet.has(length)) return packet.missing(length);
  if (hasQuality && (packet.view.getUint8(packet.offset + quality) & AMSDU_PRESENT) !== 0) {
    return packet.undecoded("802.11 A-MSDU");
  }
  if ((packet.view.getUint8(packet.offset + 22) & 0x0f) !== 0) return packet.undecoded("fragment");
  return packet.skip(isPadded ? Math.ceil(length / 4) * 4 : length, { layer: "802.2", next: 0 });
}
