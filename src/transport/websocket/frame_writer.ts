/**
 * Writes frames (RFC 6455, section 5.2). A frame is written in one piece, together with its header.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import { writeAll } from "../write_all.ts";
import { OPCODE } from "./frame_reader.ts";
import { Mask, maskingKey } from "./mask.ts";

/** The maximum payload of a frame in bytes; longer messages are fragmented. */
const MAX_PAYLOAD = 64 * 1024;

/** The longest header in bytes. */
const MAX_HEADER = 14;

/** Up to this length, allocating a buffer is cheaper than keeping one. */
const SMALL = 2 * 1024;

/** Buffers of the maximum length that are not in use, and how many are kept. */
const buffers: Uint8Array[] = [];
const MAX_KEPT = 16;

/** Writes frames to a stream, one at a time. */
export class FrameWriter {
  readonly #stream: ByteStream;
  readonly #mask: Mask | undefined;
  #isWriting = false;
  readonly #waiting: (() => void)[] = [];
  /** Control frames that are written after the current frame: the latest of each kind. */
  readonly #pending = new Map<number, Uint8Array>();

  /** With `masks`, frames are masked, as those of clients have to be. */
  constructor(stream: ByteStream, { masks }: { masks: boolean }) {
    this.#stream = stream;
    this.#mask = masks ? new Mask() : undefined;
  }

  /** Whether a frame is being written. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Writes a message. Resolves when the stream has taken all of it. */
  async message(opcode: number, payload: Uint8Array): Promise<void> {
    if (this.#isWriting) await this.#turn();
    this.#isWriting = true;
    try {
      for (let start = 0, next = opcode; start === 0 || start < payload.length;) {
        const end = Math.min(start + MAX_PAYLOAD, payload.length);
        const first = next | (end === payload.length ? 0x80 : 0);
        await this.#frame(
          first,
          start === 0 && end === payload.length ? payload : payload.subarray(start, end),
        );
        if (this.#pending.size > 0) await this.#writePending();
        start = end;
        next = OPCODE.continuation;
        if (end === payload.length) break;
      }
    } finally {
      this.#isWriting = false;
      this.#waiting.shift()?.();
    }
  }

  /**
   * Writes a control frame, at once or after the current frame. A frame of the same kind that still
   * waits is replaced.
   */
  async control(opcode: number, payload: Uint8Array): Promise<void> {
    this.#pending.set(opcode, payload);
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      await this.#writePending();
    } finally {
      this.#isWriting = false;
      this.#waiting.shift()?.();
    }
  }

  /** Resolves when no frame is being written. */
  async #turn(): Promise<void> {
    while (this.#isWriting) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async #writePending(): Promise<void> {
    for (const [opcode, payload] of this.#pending) {
      this.#pending.delete(opcode);
      await this.#frame(opcode | 0x80, payload);
    }
  }

  async #frame(first: number, payload: Uint8Array): Promise<void> {
    const isSmall = payload.length <= SMALL;
    const buffer = isSmall
      ? new Uint8Array(MAX_HEADER + payload.length)
      : buffers.pop() ?? new Uint8Array(MAX_HEADER + MAX_PAYLOAD);
    try {
      const begin = writeHeader(buffer, { first, length: payload.length, isMasked: !!this.#mask });
      let end = begin;
      if (this.#mask) {
        const key = maskingKey();
        buffer.set(key, begin);
        this.#mask.start(key);
        end += 4;
      }
      buffer.set(payload, end);
      this.#mask?.apply(buffer, { from: end, to: end + payload.length });
      await writeAll(this.#stream, buffer.subarray(0, end + payload.length));
    } finally {
      if (!isSmall && buffers.length < MAX_KEPT) buffers.push(buffer);
    }
  }
}

/** Writes a header without the key. Returns its length. */
function writeHeader(
  buffer: Uint8Array,
  { first, length, isMasked }: { first: number; length: number; isMasked: boolean },
): number {
  const bit = isMasked ? 0x80 : 0;
  buffer[0] = first;
  if (length < 126) {
    buffer[1] = bit | length;
    return 2;
  }
  if (length <= 0xffff) {
    buffer[1] = bit | 126;
    buffer[2] = length >> 8;
    buffer[3] = length & 0xff;
    return 4;
  }
  // Payloads are at most MAX_PAYLOAD long, so the upper half is 0.
  buffer.fill(0, 2, 6);
  buffer[1] = bit | 127;
  new DataView(buffer.buffer, buffer.byteOffset).setUint32(6, length);
  return 10;
}
