/**
 * Reads frames (RFC 6455, section 5.2) in place: payloads of data frames are moved to the front of
 * the buffer that they were received into, so nothing is held.
 *
 * @module
 */
import { CLOSE, type CloseFrame, readClose } from "./close.ts";
import { Mask } from "./mask.ts";
import { Utf8Check } from "./utf8.ts";

/** The opcodes. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The longest payload of a control frame in bytes. */
const MAX_CONTROL = 125;

const NEWLINE = 0x0a;

/** What is wrong with received frames. */
export interface FrameFault {
  /** The close code for the peer. */
  readonly code: number;
  /** What it did. */
  readonly reason: string;
}

/** Options of {@linkcode FrameReader}. */
export interface FrameReaderOptions {
  /** Whether frames must be masked: those of clients must, those of servers must not. */
  readonly isMasked: boolean;
  /** The maximum length of a message in bytes. */
  readonly maxMessage: number;
  /** Whether a message without a newline at its end gets one. */
  readonly lines: boolean;
}

/** The state between two reads. */
export class FrameReader {
  /** The peer's close frame; nothing is read after it. */
  close: CloseFrame | undefined;
  /** What is wrong; nothing is read after it. */
  fault: FrameFault | undefined;
  /** The payload of the last ping that was not answered yet. */
  ping: Uint8Array | undefined;
  /** Whether the newline of the last message had no room in the buffer. */
  owesNewline = false;

  readonly #options: FrameReaderOptions;
  readonly #header = new Uint8Array(14);
  #headerLength = 0;
  readonly #mask = new Mask();
  #control: Uint8Array | undefined;
  #opcode = 0;
  #isFinal = false;
  /** The rest of the current frame's payload in bytes. */
  #left = 0;
  #inFrame = false;
  /** The opcode of the current message; 0 between messages. */
  #message = 0;
  #messageLength = 0;
  #lastByte = 0;
  readonly #utf8 = new Utf8Check();

  /** Nothing read yet. */
  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /**
   * Takes the first `length` bytes of the buffer. Returns how many bytes of payload are then at its
   * front.
   */
  take(bytes: Uint8Array, length: number): number {
    let at = 0;
    let out = 0;
    while (at < length && !this.fault && !this.close) {
      if (!this.#inFrame) {
        at = this.#readHeader(bytes, { at, length });
        out = this.#addNewline(bytes, { out, limit: at });
        if (this.#hasHeader) this.#beginFrame();
        continue;
      }
      const count = Math.min(this.#left, length - at);
      if (this.#control) this.#takeControl(bytes.subarray(at, at + count));
      else out += this.#takeData(bytes, { from: at, out, count });
      at += count;
      this.#left -= count;
      if (this.#left === 0) this.#endFrame();
    }
    return this.#addNewline(bytes, { out, limit: bytes.length });
  }

  /** Gathers the header. Returns where it ends in the buffer. */
  #readHeader(bytes: Uint8Array, { at, length }: { at: number; length: number }): number {
    const header = this.#header;
    while (at < length && !this.#hasHeader) {
      header[this.#headerLength++] = bytes[at++]!;
      if (this.#headerLength !== 2) continue;
      this.#check(header[0]!, header[1]!);
      if (this.fault) break;
    }
    return at;
  }

  get #hasHeader(): boolean {
    return !this.fault && this.#headerLength >= 2 &&
      this.#headerLength === headerLength(this.#header[1]!);
  }

  /** Checks the first two bytes of a frame. */
  #check(first: number, second: number): void {
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) return this.#fail("a reserved bit is set");
    if ((second & 0x80) === 0 === this.#options.isMasked) {
      return this.#fail(this.#options.isMasked ? "a frame is not masked" : "a frame is masked");
    }
    if (opcode >= OPCODE.close) {
      if (opcode > OPCODE.pong) return this.#fail(`unknown opcode ${opcode}`);
      if (!isFinal) return this.#fail("a control frame is fragmented");
      if ((second & 0x7f) > MAX_CONTROL) this.#fail("a control frame is too long");
      return;
    }
    if (opcode > OPCODE.binary) return this.#fail(`unknown opcode ${opcode}`);
    if (opcode === OPCODE.continuation && this.#message === 0) {
      return this.#fail("a continuation of no message");
    }
    if (opcode !== OPCODE.continuation && this.#message !== 0) {
      this.#fail("a message begins within another");
    }
  }

  #beginFrame(): void {
    const header = this.#header;
    const size = this.#headerLength;
    this.#headerLength = 0;
    const length = this.#payloadLength();
    if (length === undefined) return;
    this.#opcode = header[0]! & 0x0f;
    this.#isFinal = (header[0]! & 0x80) !== 0;
    if (this.#options.isMasked) this.#mask.start(header.subarray(size - 4, size));
    this.#left = length;
    this.#inFrame = true;
    if (this.#opcode >= OPCODE.close) {
      this.#control = new Uint8Array(length);
    } else {
      if (this.#opcode !== OPCODE.continuation) {
        this.#message = this.#opcode;
        this.#messageLength = 0;
        this.#lastByte = 0;
      }
      this.#messageLength += length;
      if (this.#messageLength > this.#options.maxMessage) {
        this.#fail(`a message is longer than ${this.#options.maxMessage} bytes`, CLOSE.tooBig);
      }
    }
    if (length === 0 && !this.fault) this.#endFrame();
  }

  /** The length of the payload; it has to be written in as few bytes as possible. */
  #payloadLength(): number | undefined {
    const header = this.#header;
    const short = header[1]! & 0x7f;
    if (short < 126) return short;
    const view = new DataView(header.buffer, 2);
    const high = short === 127 ? view.getUint32(0) : 0;
    const low = short === 127 ? view.getUint32(4) : view.getUint16(0);
    const isShortest = short === 127 ? high > 0 || low > 0xffff : low > 125;
    if (!isShortest || high > 0x7fffffff) return void this.#fail("a length is not valid");
    return high * 2 ** 32 + low;
  }

  #takeControl(bytes: Uint8Array): void {
    if (this.#options.isMasked) this.#mask.apply(bytes, { from: 0, to: bytes.length });
    this.#control!.set(bytes, this.#control!.length - this.#left);
  }

  /** Moves payload to the front of the buffer. Returns how much of it is to be delivered. */
  #takeData(
    bytes: Uint8Array,
    { from, out, count }: { from: number; out: number; count: number },
  ): number {
    if (out !== from) bytes.copyWithin(out, from, from + count);
    if (this.#options.isMasked) this.#mask.apply(bytes, { from: out, to: out + count });
    this.#lastByte = bytes[out + count - 1]!;
    if (this.#message === OPCODE.text && !this.#utf8.push(bytes.subarray(out, out + count))) {
      this.#fail("text is not valid UTF-8", CLOSE.invalidText);
      return 0;
    }
    return count;
  }

  #endFrame(): void {
    this.#inFrame = false;
    const control = this.#control;
    this.#control = undefined;
    if (control) return this.#endControl(control);
    if (!this.#isFinal) return;
    if (this.#message === OPCODE.text && !this.#utf8.end()) {
      return this.#fail("text ends within a character", CLOSE.invalidText);
    }
    this.#message = 0;
    this.owesNewline = this.#options.lines && this.#lastByte !== NEWLINE;
  }

  #endControl(payload: Uint8Array): void {
    if (this.#opcode === OPCODE.ping) this.ping = payload;
    if (this.#opcode !== OPCODE.close) return;
    const frame = readClose(payload);
    if ("fault" in frame) this.#fail("a close frame is not valid", frame.fault);
    else this.close = frame;
  }

  #addNewline(bytes: Uint8Array, { out, limit }: { out: number; limit: number }): number {
    if (!this.owesNewline || out >= limit) return out;
    this.owesNewline = false;
    bytes[out] = NEWLINE;
    return out + 1;
  }

  #fail(reason: string, code: number = CLOSE.protocolError): void {
    this.fault ??= { code, reason };
  }
}

/** The length of a header by its second byte. */
function headerLength(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}
