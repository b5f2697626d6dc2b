/**
 * Finds the frame boundaries of a zstd stream (RFC 8878): Node's decompressor stops after the first
 * frame and does not report whether it was complete.
 *
 * @module
 */
const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** Whether these four bytes (little-endian) start a zstd frame. */
export function isZstdMagic(magic: number): boolean {
  return magic === FRAME || isSkippable(magic);
}

function isSkippable(magic: number): boolean {
  return ((magic & 0xfffffff0) >>> 0) === SKIPPABLE;
}

/** The part of a frame that is being read. */
type Part =
  | "magic"
  | "length to skip"
  | "skipped"
  | "descriptor"
  | "header"
  | "block"
  | "content"
  | "checksum";

/** Scans a stream of frames without decompressing it. */
export class ZstdFrameScanner {
  #part: Part = "magic";
  /** Unread bytes of the part. */
  #remaining = 4;
  /** Little-endian value of the part's bytes. */
  #value = 0;
  #shift = 0;
  #hasChecksum = false;
  #isLastBlock = false;

  /** Whether the stream is at a frame boundary. */
  get isBetweenFrames(): boolean {
    return this.#part === "magic" && this.#remaining === 4;
  }

  /**
   * Scans `bytes` from `from` on. Returns the offset after the next block or frame, or the length
   * of `bytes` if none ends there.
   *
   * @throws {RangeError} if no frame starts where one must
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

  /** Starts the next part; `true` at the end of a block or frame. */
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
        // An RLE block holds one byte; its size field is the uncompressed length.
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

/** Length of the frame header after its descriptor (RFC 8878, 3.1.1.1). */
function headerLength(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const size = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return (isSingleSegment ? 0 : 1) + dictionary + size;
}
