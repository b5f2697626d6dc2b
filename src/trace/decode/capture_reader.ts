/**
 * Reads the packets of a pcap or pcapng stream.
 *
 * @module
 */
import { ByteWindow } from "./byte_window.ts";
import { CaptureError, Packet } from "./packet.ts";
import { isPcapMagic, PcapFormat } from "./pcap.ts";
import { PcapngFormat, SECTION_HEADER } from "./pcapng.ts";

/**
 * Reads packets from the chunks of a pcap or pcapng stream. At most one record is buffered.
 *
 * ```ts ignore
 * for await (const chunk of file.readable) {
 *   for (const packet of reader.read(chunk)) handle(packet);
 * }
 * reader.finish();
 * ```
 */
export class CaptureReader {
  /** Number of packets read. */
  packets = 0;
  /** Byte offset of the end if it is inside a record; set by {@linkcode finish}. */
  truncatedAt: number | undefined;

  readonly #window = new ByteWindow();
  readonly #packet = new Packet();
  #format: PcapFormat | PcapngFormat | undefined;

  /** Packets without a timestamp (pcapng simple packet blocks). */
  get packetsWithoutTime(): number {
    return this.#format instanceof PcapngFormat ? this.#format.packetsWithoutTime : 0;
  }

  /** Blocks that were skipped because their lengths contradict each other. */
  get damagedBlocks(): number {
    return this.#format instanceof PcapngFormat ? this.#format.damagedBlocks : 0;
  }

  /**
   * Yields the packets completed by this chunk. The yielded object is reused for every packet.
   *
   * @throws {CaptureError} if the stream is no capture or its remainder cannot be read
   */
  *read(chunk: Uint8Array): Generator<Packet> {
    const window = this.#window;
    window.append(chunk);
    if (window.length < 4) return;
    this.#format ??= detectFormat(window);
    for (;;) {
      const step = this.#format.step(window, this.#packet);
      if (step === "incomplete") return;
      if (step === "other") continue;
      this.packets += 1;
      yield this.#packet;
    }
  }

  /**
   * Ends the stream and sets {@linkcode truncatedAt} if it ends inside a record.
   *
   * @throws {CaptureError} if the stream ended before the format was known
   */
  finish(): void {
    const window = this.#window;
    const end = window.offset - window.pendingSkip + window.length;
    if (this.#format === undefined) {
      const isEmpty = end === 0;
      throw new CaptureError(isEmpty ? "the capture is empty" : `not a capture: ${end} bytes`);
    }
    if (window.length > 0 || window.pendingSkip > 0) this.truncatedAt = end;
  }
}

function detectFormat(window: ByteWindow): PcapFormat | PcapngFormat {
  const magic = window.view.getUint32(window.start);
  if (isPcapMagic(magic)) return new PcapFormat();
  if (magic === SECTION_HEADER) return new PcapngFormat();
  throw new CaptureError(`not a capture: ${describeForeignFormat(magic)}`);
}

/** Names a file format by its first four bytes and says how to convert it. */
function describeForeignFormat(magic: number): string {
  switch (magic) {
    case 0xfd377a58:
      return "compressed with xz; decompress it with xz -dc";
    case 0x04224d18:
      return "compressed with lz4; decompress it with lz4 -dc";
    case 0x736e6f6f:
      return "in snoop format; convert it with editcap -F pcap";
    case 0x504b0304:
      return "a ZIP archive; unpack it";
  }
  if (magic >>> 8 === 0x425a68) return "compressed with bzip2; decompress it with bzip2 -dc";
  if (magic >>> 16 === 0x1f8b) return "compressed twice; decompress it with gunzip";
  const isText = [24, 16, 8, 0].every((shift) => isPrintable(magic >>> shift & 255));
  return `${isText ? "text, " : ""}neither pcap nor pcapng`;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
