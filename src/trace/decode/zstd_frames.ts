/**
 * Where the frames of a zstd stream begin and end (RFC 8878): a decompressor stops after the first,
 * and does not tell whether it was whole.
 *
 * @module
 */
const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** Whether a stream that begins with these four bytes (little-endian) is one of zstd. */
export function isZstdMagic(magic: number): boolean {
  return magic === FRAME || isSkippable(magic);
}

function isSkippable(magic: number): boolean {
  return ((magic & 0xfffffff0) >>> 0) === SKIPPABLE;
}

/** What the next bytes are. */
type Part =
  | "magic"
  | "length to skip"
  | "skipped"
  | "descriptor"
  | "header"
  | "block"
  | "content"
  | "checksum";

/** Follows a stream of frames byte by byte, without decompressing anything. */
export class ZstdFrameScanner {
  #part: Part = "magic";
  /** How many bytes of the part are missing. */
  #remaining = 4;
  /** The number that the part's bytes make up, little-endian. */
  #value = 0;
  #shift = 0;
  #hasChecksum = false;
  #isLastBlock = false;

  /** Whether the stream may end here. */
  get isBetweenFrames(): boolean {
    return this.#part === "magic" && this.#remaining === 4;
  }

  /**
   * Passes bytes from `from` on, and returns where a block or a frame ends in them, or their length.
   *
   * @throws {RangeError} where no frame begins
   */
  scan(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#part === "content" || this.#part === "skipped" || this.#part === "header") {
        const taken = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= taken;
        at += taken;
      } else {
        this.#value += bytes[at]! * 2 ** this.#shift;
        this.#shift += 8;
        this.#remaining -= 1;
        at += 1;
      }
      while (this.#remaining === 0) {
        if (this.#finishPart()) return at;
      }
    }
    return at;
  }

  /** Goes on to the next part; `true` where that is another block or frame. */
  #finishPart(): boolean {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        if (!isZstdMagic(value)) throw new RangeError("no zstd frame");
        if (isSkippable(value)) this.#begin("length to skip", 4);
        else this.#begin("descriptor", 1);
        return false;
      case "length to skip":
        this.#begin("skipped", value);
        return false;
      case "descriptor":
        this.#hasChecksum = (value & 4) !== 0;
        this.#begin("header", headerLength(value));
        return false;
      case "header":
        this.#begin("block", 3);
        return false;
      case "block":
        this.#isLastBlock = (value & 1) === 1;
        // A block of one repeated byte holds that byte; its size is another thing.
        this.#begin("content", (value >> 1 & 3) === 1 ? 1 : value >>> 3);
        return false;
      case "content":
        if (this.#isLastBlock && !this.#hasChecksum) return this.#endFrame();
        if (this.#isLastBlock) this.#begin("checksum", 4);
        else this.#begin("block", 3);
        return true;
      case "skipped":
      case "checksum":
        return this.#endFrame();
    }
  }

  #endFrame(): true {
    this.#begin("magic", 4);
    return true;
  }

  #begin(part: Part, length: number): void {
    this.#part = part;
    this.#remaining = length;
    this.#value = 0;
    this.#shift = 0;
  }
}

/** How long the rest of the header is that begins with this descriptor (section 3.1.1.1). */
function headerLength(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const size = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return (isSingleSegment ? 0 : 1) + dictionary + size;
}
