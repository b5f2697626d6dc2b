/**
 * The classic capture format, pcap-savefile(5).
 *
 * @module
 */
import type { ByteWindow } from "./byte_window.ts";
import { CaptureError, type Packet } from "./packet.ts";

/**
 * One step through a capture: a packet was found, something else was passed over, or the rest of a
 * record has yet to arrive.
 */
export type Step = "packet" | "other" | "incomplete";

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MICROSECOND_MAGIC = 0xa1b2c3d4;
const NANOSECOND_MAGIC = 0xa1b23c4d;

/** libpcap's MAXIMUM_SNAPLEN: it writes no longer record, so a longer one is damage. */
const LONGEST_RECORD = 262_144;

/** Whether a stream that begins with these four bytes (big-endian) is a pcap file. */
export function isPcapMagic(magic: number): boolean {
  return magic === MICROSECOND_MAGIC || magic === NANOSECOND_MAGIC ||
    magic === 0xd4c3b2a1 || magic === 0x4d3cb2a1;
}

/** Reads the classic format of pcap-savefile(5), of either byte order. */
export class PcapFormat {
  #littleEndian = false;
  #nanosecondsPerTick = 1;
  #link = -1;

  /** Reads the next record into `packet`, or the file header if that comes first. */
  step(window: ByteWindow, packet: Packet): Step {
    if (this.#link === -1) return this.#begin(window);
    if (window.length < RECORD_HEADER) return "incomplete";
    const { view, start } = window;
    const length = view.getUint32(start + 8, this.#littleEndian);
    if (length > LONGEST_RECORD) {
      throw new CaptureError(`The capture is damaged: a packet of ${length} bytes`, window.offset);
    }
    if (window.length < RECORD_HEADER + length) return "incomplete";
    packet.view = view;
    packet.start = start + RECORD_HEADER;
    packet.end = packet.start + length;
    packet.originalLength = view.getUint32(start + 12, this.#littleEndian);
    packet.seconds = view.getUint32(start, this.#littleEndian);
    packet.nanoseconds = view.getUint32(start + 4, this.#littleEndian) * this.#nanosecondsPerTick;
    packet.link = this.#link;
    packet.interface = 0;
    window.skip(RECORD_HEADER + length);
    return "packet";
  }

  #begin(window: ByteWindow): Step {
    if (window.length < FILE_HEADER) return "incomplete";
    const { view, start } = window;
    const bigEndianMagic = view.getUint32(start);
    this.#littleEndian = bigEndianMagic !== MICROSECOND_MAGIC &&
      bigEndianMagic !== NANOSECOND_MAGIC;
    const magic = view.getUint32(start, this.#littleEndian);
    this.#nanosecondsPerTick = magic === NANOSECOND_MAGIC ? 1 : 1000;
    // The upper half holds the length of the frame check sequence, not the link.
    this.#link = view.getUint32(start + 20, this.#littleEndian) & 0xffff;
    window.skip(FILE_HEADER);
    return "other";
  }
}
