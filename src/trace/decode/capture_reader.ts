/**
 * Captures: packets out of a stream of pcap or pcapng.
 *
 * @module
 */
import { ByteWindow } from "./byte_window.ts";
import { CaptureError, Packet } from "./packet.ts";
import { isPcapMagic, PcapFormat } from "./pcap.ts";
import { PcapngFormat, SECTION_HEADER } from "./pcapng.ts";

export { CaptureError, Packet };

/**
 * Finds the packets in a stream of pcap or pcapng as its chunks arrive, holding no more of it than
 * one record.
 *
 * ```ts ignore
 * for await (const chunk of file.readable) {
 *   for (const packet of reader.read(chunk)) look(packet);
 * }
 * reader.finish();
 * ```
 */
export class CaptureReader {
  /** How many packets were found. */
  packets = 0;
  /** The byte at which the stream ended inside a record, once {@linkcode finish} has been called. */
  truncatedAt: number | undefined;

  readonly #window = new ByteWindow();
  readonly #packet = new Packet();
  #format: PcapFormat | PcapngFormat | undefined;

  /** Packets that the capture tells no time of. */
  get packetsWithoutTime(): number {
    return this.#format instanceof PcapngFormat ? this.#format.packetsWithoutTime : 0;
  }

  /** Records that were passed over because they contradict themselves. */
  get damagedBlocks(): number {
    return this.#format instanceof PcapngFormat ? this.#format.damagedBlocks : 0;
  }

  /**
   * Yields each packet that is complete with this chunk: always the same object, filled anew.
   *
   * @throws {CaptureError} where the stream is no capture, or cannot be followed any further
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
   * Says that the stream has ended, and notes in {@linkcode truncatedAt} whether it did so too early.
   *
   * @throws {CaptureError} where it ended before it had begun
   */
  finish(): void {
    const window = this.#window;
    const end = window.offset - window.pendingSkip + window.length;
    if (this.#format === undefined) {
      const isEmpty = end === 0;
      throw new CaptureError(isEmpty ? "the capture is empty" : `this is no capture: ${end} bytes`);
    }
    if (window.length > 0 || window.pendingSkip > 0) this.truncatedAt = end;
  }
}

function detectFormat(window: ByteWindow): PcapFormat | PcapngFormat {
  const magic = window.view.getUint32(window.start);
  if (isPcapMagic(magic)) return new PcapFormat();
  if (magic === SECTION_HEADER) return new PcapngFormat();
  throw new CaptureError(`this is no capture: ${describeForeignFormat(magic)}`);
}

/** What a file is instead, by its first four bytes, and what can be done about it. */
function describeForeignFormat(magic: number): string {
  switch (magic) {
    case 0xfd377a58:
      return "it is compressed with xz: pass it through xz -dc";
    case 0x04224d18:
      return "it is compressed with lz4: pass it through lz4 -dc";
    case 0x736e6f6f:
      return "it is in the format of snoop: make pcap of it with editcap -F pcap";
    case 0x504b0304:
      return "it is a ZIP archive: unpack it";
  }
  if (magic >>> 8 === 0x425a68) return "it is compressed with bzip2: pass it through bzip2 -dc";
  if (magic >>> 16 === 0x1f8b) return "it is compressed twice: pass it through gunzip";
  const isText = [24, 16, 8, 0].every((shift) => isPrintable(magic >>> shift & 255));
  return `${isText ? "it is text, " : ""}neither pcap nor pcapng`;
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
