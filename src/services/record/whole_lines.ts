/**
 * Lines that come in pieces, passed on as wholes.
 *
 * @module
 */
import { type Recording, RecordingError } from "./recording.ts";

/** The longest line that is held until it is whole. */
const LONGEST = 1024 * 1024;

const NEWLINE = 0x0a;

/** What one client sends, appended to a recording that others append to as well: whole lines at a time. */
export class WholeLines {
  readonly #recording: Recording;
  #begun: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Lines for this recording. */
  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /**
   * Appends the lines that these bytes complete, and keeps what is begun.
   *
   * @throws {RecordingError}
   */
  async append(bytes: Uint8Array): Promise<void> {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) await this.#recording.append(this.#release(), bytes.subarray(0, end));
    this.#hold(bytes.subarray(end));
    if (this.#length > LONGEST) {
      await this.end();
      throw new RecordingError(`a line has more than ${LONGEST} bytes`);
    }
  }

  /**
   * Appends what was begun and never ended, as a line.
   *
   * @throws {RecordingError}
   */
  async end(): Promise<void> {
    if (this.#length > 0) await this.#recording.append(this.#release(), Uint8Array.of(NEWLINE));
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#begun.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#release());
      this.#begun = larger;
    }
    this.#begun.set(bytes, length - bytes.length);
    this.#length = length;
  }

  #release(): Uint8Array {
    const begun = this.#begun.subarray(0, this.#length);
    this.#begun = new Uint8Array(0);
    this.#length = 0;
    return begun;
  }
}
