/**
 * Buffers partial lines, for recordings of several clients.
 *
 * @module
 */
import { type Recording, RecordingError } from "./recording.ts";

/** The longest line, in bytes. */
const MAX_LINE = 1024 * 1024;

const NEWLINE = 0x0a;

/** Appends the lines of one client to a recording that is shared with other clients. */
export class WholeLines {
  readonly #recording: Recording;
  #partial: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Appends to this recording. */
  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /**
   * Appends complete lines and buffers the rest.
   *
   * @throws {RecordingError}
   */
  async append(bytes: Uint8Array): Promise<void> {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) await this.#recording.append(this.#takePartial(), bytes.subarray(0, end));
    this.#buffer(bytes.subarray(end));
    if (this.#length > MAX_LINE) {
      await this.end();
      throw new RecordingError(`a line has more than ${MAX_LINE} bytes`);
    }
  }

  /**
   * Appends a last line without a newline, with one.
   *
   * @throws {RecordingError}
   */
  async end(): Promise<void> {
    if (this.#length > 0) {
      await this.#recording.append(this.#takePartial(), Uint8Array.of(NEWLINE));
    }
  }

  #buffer(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#partial.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#takePartial());
      this.#partial = larger;
    }
    this.#partial.set(bytes, length - bytes.length);
    this.#length = length;
  }

  #takePartial(): Uint8Array {
    const partial = this.#partial.subarray(0, this.#length);
    this.#partial = new Uint8Array(0);
    this.#length = 0;
    return partial;
  }
}
