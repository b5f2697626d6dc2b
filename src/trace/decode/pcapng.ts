/**
 * The pcapng file format (draft-ietf-opsawg-pcapng).
 *
 * @module
 */
import type { ByteWindow } from "./byte_window.ts";
import { CaptureError, type Packet } from "./packet.ts";
import type { Step } from "./pcap.ts";

/** Type of the section header block; the same in either byte order. */
export const SECTION_HEADER = 0x0a0d0d0a;

const INTERFACE_DESCRIPTION = 1;
const PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;

/** Longer packet blocks are skipped, which bounds the read buffer. */
const MAX_BLOCK_LENGTH = 1024 * 1024;
const MAX_INTERFACES = 65_536;

interface Interface {
  readonly link: number;
  readonly snapLength: number;
  readonly ticksPerSecond: bigint;
  readonly offsetSeconds: number;
}

/** Reads pcapng: sections, interfaces, and enhanced, simple and obsolete packet blocks. */
export class PcapngFormat {
  #littleEndian = true;
  #interfaces: Interface[] = [];
  /** Number of interfaces in earlier sections; numbering restarts in each section. */
  #interfacesBefore = 0;

  /** Packets without a timestamp. */
  packetsWithoutTime = 0;

  /** Reads the next block. Contradictory packet blocks are counted in {@linkcode damagedBlocks}. */
  step(window: ByteWindow, packet: Packet): Step {
    if (window.length < 12) return "incomplete";
    if (window.view.getUint32(window.start) === SECTION_HEADER) this.#beginSection(window);
    const { view, start } = window;
    const type = view.getUint32(start, this.#littleEndian);
    const length = view.getUint32(start + 4, this.#littleEndian);
    if (length < 12 || length % 4 !== 0) {
      throw new CaptureError(`the capture is damaged: a block of ${length} bytes`, window.offset);
    }
    if (!isRead(type) || length > MAX_BLOCK_LENGTH) {
      if (isPacket(type)) this.damagedBlocks += 1;
      window.skip(length);
      return "other";
    }
    if (window.length < length) return "incomplete";
    const step = this.#readBlock(
      { type, body: start + 8, end: start + length - 4 },
      window,
      packet,
    );
    window.skip(length);
    return step;
  }

  /** Packet blocks without a readable packet. */
  damagedBlocks = 0;

  #readBlock(
    block: { type: number; body: number; end: number },
    window: ByteWindow,
    packet: Packet,
  ): Step {
    if (block.type === INTERFACE_DESCRIPTION) {
      this.#describeInterface(window, block);
      return "other";
    }
    if (!isPacket(block.type)) return "other";
    packet.view = window.view;
    const found = block.type === SIMPLE_PACKET
      ? this.#readSimplePacket(block, packet)
      : this.#readTimedPacket(block, packet);
    if (found) return "packet";
    this.damagedBlocks += 1;
    return "other";
  }

  #beginSection(window: ByteWindow): void {
    const magic = window.view.getUint32(window.start + 8, true);
    this.#littleEndian = magic === BYTE_ORDER_MAGIC;
    if (!this.#littleEndian && window.view.getUint32(window.start + 8) !== BYTE_ORDER_MAGIC) {
      throw new CaptureError(
        "the capture is damaged: a section without a byte-order magic",
        window.offset,
      );
    }
    this.#interfacesBefore += this.#interfaces.length;
    this.#interfaces = [];
  }

  #describeInterface(window: ByteWindow, { body, end }: { body: number; end: number }): void {
    if (end - body < 8) {
      throw new CaptureError("the capture is damaged: a truncated interface block", window.offset);
    }
    if (this.#interfaces.length === MAX_INTERFACES) {
      throw new CaptureError(
        `the capture has more than ${MAX_INTERFACES} interfaces`,
        window.offset,
      );
    }
    const { view } = window;
    const options = this.#readInterfaceOptions(view, body + 8, end);
    this.#interfaces.push({
      link: view.getUint16(body, this.#littleEndian),
      snapLength: view.getUint32(body + 4, this.#littleEndian),
      ...options,
    });
  }

  #readInterfaceOptions(
    view: DataView,
    from: number,
    end: number,
  ): { ticksPerSecond: bigint; offsetSeconds: number } {
    let ticksPerSecond = 1_000_000n;
    let offsetSeconds = 0;
    for (let at = from; at + 4 <= end;) {
      const code = view.getUint16(at, this.#littleEndian);
      const length = view.getUint16(at + 2, this.#littleEndian);
      const value = at + 4;
      if (code === 0 || value + length > end) break;
      if (code === OPTION_TIME_RESOLUTION && length === 1) {
        ticksPerSecond = ticksPerSecondOf(view.getUint8(value));
      } else if (code === OPTION_TIME_OFFSET && length === 8) {
        offsetSeconds = Number(view.getBigInt64(value, this.#littleEndian));
      }
      at = value + length + padding(length);
    }
    return { ticksPerSecond, offsetSeconds };
  }

  /** Reads an enhanced packet block, or its predecessor, the packet block. */
  #readTimedPacket(block: { type: number; body: number; end: number }, packet: Packet): boolean {
    const { view } = packet;
    const { body, end } = block;
    if (end - body < 20) return false;
    const number = block.type === ENHANCED_PACKET
      ? view.getUint32(body, this.#littleEndian)
      : view.getUint16(body, this.#littleEndian);
    const device = this.#interfaces[number];
    const length = view.getUint32(body + 12, this.#littleEndian);
    if (device === undefined || length > end - body - 20) return false;
    packet.start = body + 20;
    packet.end = packet.start + length;
    packet.originalLength = view.getUint32(body + 16, this.#littleEndian);
    packet.link = device.link;
    packet.interface = this.#interfacesBefore + number + 1;
    const high = view.getUint32(body + 4, this.#littleEndian);
    const low = view.getUint32(body + 8, this.#littleEndian);
    setTime(packet, device, { high, low });
    return true;
  }

  /** Reads a simple packet block, which has no timestamp and belongs to interface 0. */
  #readSimplePacket({ body, end }: { body: number; end: number }, packet: Packet): boolean {
    const device = this.#interfaces[0];
    if (device === undefined || end - body < 4) return false;
    const original = packet.view.getUint32(body, this.#littleEndian);
    const capturedLength = Math.min(original, device.snapLength || original, end - body - 4);
    packet.start = body + 4;
    packet.end = packet.start + capturedLength;
    packet.originalLength = original;
    packet.link = device.link;
    packet.interface = this.#interfacesBefore + 1;
    // The packet keeps the timestamp of the packet before it.
    this.packetsWithoutTime += 1;
    return true;
  }
}

function isPacket(type: number): boolean {
  return type === ENHANCED_PACKET || type === SIMPLE_PACKET || type === PACKET;
}

function isRead(type: number): boolean {
  return isPacket(type) || type === INTERFACE_DESCRIPTION;
}

function padding(length: number): number {
  return (4 - length % 4) % 4;
}

/** if_tsresol: a negative power of 10, or of 2 if the top bit is set. */
function ticksPerSecondOf(resolution: number): bigint {
  return resolution < 0x80 ? 10n ** BigInt(resolution) : 1n << BigInt(resolution & 0x7f);
}

const MAX_EXACT_INTEGER = 2 ** 53;
const NANOSECONDS = 1e9;

function setTime(packet: Packet, device: Interface, time: { high: number; low: number }): void {
  const { ticksPerSecond, offsetSeconds } = device;
  const perSecond = Number(ticksPerSecond);
  const count = time.high * 0x100000000 + time.low;
  // Exact in floating point while the tick count is below 2^53.
  const isExact = count < MAX_EXACT_INTEGER && NANOSECONDS % perSecond === 0;
  if (isExact) {
    packet.seconds = Math.floor(count / perSecond);
    packet.nanoseconds = (count % perSecond) * (NANOSECONDS / perSecond);
  } else {
    const exact = (BigInt(time.high) << 32n) | BigInt(time.low);
    packet.seconds = Number(exact / ticksPerSecond);
    packet.nanoseconds = Number(exact % ticksPerSecond * 1_000_000_000n / ticksPerSecond);
  }
  packet.seconds += offsetSeconds;
}
