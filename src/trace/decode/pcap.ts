/**
 * The pcap file format (pcap-savefile(5)).
 *
 * @module
 */
import type { ByteWindow } from "./byte_window.ts";
import { CaptureError, type Packet } from "./packet.ts";

/** Result of one read: a packet, another record that was skipped, or an incomplete record. */
export type Step = "packet" | "other" | "incomplete";

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MICROSECOND_MAGIC = 0xa1b2c3d4;
const NANOSECOND_MAGIC = 0xa1b23c4d;
/** Modified pcap by Alexey Kuznetsov, with longer record headers. */
const MODIFIED_MAGIC = 0xa1b2cd34;
/** Additional bytes in each modified record header. */
const MODIFIED_EXTRA = 8;

/** MAXIMUM_SNAPLEN of libpcap; a longer record is damage. */
const MAX_SNAPLEN = 262_144;

/** Whether these four bytes (big-endian) start a pcap file. */
export function isPcapMagic(magic: number): boolean {
  return isMagic(magic) || magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1 || magic === 0x34cdb2a1;
}

function isMagic(magic: number): boolean {
  return magic === MICROSECOND_MAGIC || magic === NANOSECOND_MAGIC || magic === MODIFIED_MAGIC;
}

/** Reads pcap files of either byte order. */
export class PcapFormat {
  #littleEndian = false;
  #nanosecondsPerTick = 1;
  #recordHeader = RECORD_HEADER;
  #link = -1;

  /** Reads the next record, or the file header. */
  step(window: ByteWindow, packet: Packet): Step {
    if (this.#link === -1) return this.#begin(window);
    const header = this.#recordHeader;
    if (window.length < header) return "incomplete";
    const { view, start } = window;
    if (isFileHeader(view, start)) return this.#begin(window);
    const length = view.getUint32(start + 8, this.#littleEndian);
    if (length > MAX_SNAPLEN) {
      throw new CaptureError(`the capture is damaged: a packet of ${length} bytes`, window.offset);
    }
    if (window.length < header + length) return "incomplete";
    packet.view = view;
    packet.start = start + header;
    packet.end = packet.start + length;
    packet.originalLength = view.getUint32(start + 12, this.#littleEndian);
    packet.seconds = view.getUint32(start, this.#littleEndian);
    packet.nanoseconds = view.getUint32(start + 4, this.#littleEndian) * this.#nanosecondsPerTick;
    packet.link = this.#link;
    packet.interface = 0;
    window.skip(header + length);
    return "packet";
  }

  #begin(window: ByteWindow): Step {
    if (window.length < FILE_HEADER) return "incomplete";
    const { view, start } = window;
    this.#littleEndian = !isMagic(view.getUint32(start));
    const magic = view.getUint32(start, this.#littleEndian);
    this.#recordHeader = magic === MODIFIED_MAGIC ? RECORD_HEADER + MODIFIED_EXTRA : RECORD_HEADER;
    this.#nanosecondsPerTick = magic === NANOSECOND_MAGIC ? 1 : 1000;
    // The upper 16 bits hold the frame check sequence length.
    this.#link = view.getUint32(start + 20, this.#littleEndian) & 0xffff;
    window.skip(FILE_HEADER);
    return "other";
  }
}

/**
 * Whether another file header follows, as in concatenated captures. No record has these values as
 * timestamp, with both lengths 0.
 */
function isFileHeader(view: DataView, start: number): boolean {
  if (!isPcapMagic(view.getUint32(start))) return false;
  const version = view.getUint32(start + 4);
  return (version === 0x00020004 || version === 0x02000400) &&
    view.getUint32(start + 8) === 0 && view.getUint32(start + 12) === 0;
}
