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
  cutAt: number | undefined;

  readonly #window = new ByteWindow();
  readonly #packet = new Packet();
  #format: PcapFormat | PcapngFormat | undefined;

  /** Records that were passed over because they contradict themselves. */
  get damaged(): number {
    return this.#format instanceof PcapngFormat ? this.#format.damaged : 0;
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
    this.#format ??= recognise(window);
    for (;;) {
      const step = this.#format.step(window, this.#packet);
      if (step === "incomplete") return;
      if (step === "other") continue;
      this.packets += 1;
      yield this.#packet;
    }
  }

  /**
   * Says that the stream has ended, and notes in {@linkcode cutAt} whether it did so too early.
   *
   * @throws {CaptureError} where it ended before it had begun
   */
  finish(): void {
    const window = this.#window;
    const end = window.offset - window.owed + window.length;
    if (this.#format === undefined) {
      throw new CaptureError(end === 0 ? "The capture is empty" : "This is no capture", end);
    }
    if (window.length > 0 || window.owed > 0) this.cutAt = end;
  }
}

function recognise(window: ByteWindow): PcapFormat | PcapngFormat {
  const magic = window.view.getUint32(window.start);
  if (isPcapMagic(magic)) return new PcapFormat();
  if (magic === SECTION_HEADER) return new PcapngFormat();
  const isGzip = magic >>> 16 === 0x1f8b;
  const hint = isGzip ? "it is compressed, pass it through gunzip" : "neither pcap nor pcapng";
  throw new CaptureError(`This is no capture: ${hint}`, 0);
}
