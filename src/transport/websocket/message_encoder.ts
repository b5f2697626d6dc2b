/**
 * Divides a stream of bytes into messages.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { concat } from "@std/bytes/concat";
import { incompleteTail } from "./utf8.ts";

/**
 * What a message is: the bytes of one write, its text without an incomplete character at the end, or
 * a line of text without its newline.
 */
export type MessageForm = "binary" | "text" | "lines";

/** A line that is longer than this is sent in several messages, in bytes. */
const MAX_LINE = 1024 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Holds what does not make a whole message yet: at most a line. */
export class MessageEncoder {
  /** Whether some bytes were not valid UTF-8, and replaced by U+FFFD. */
  hasReplaced = false;
  readonly #form: Exclude<MessageForm, "binary">;
  #held: Uint8Array[] = [];
  #heldLength = 0;

  /** A message of text is a write or a line. */
  constructor(form: Exclude<MessageForm, "binary">) {
    this.#form = form;
  }

  /** The messages that these bytes complete. They are valid until the bytes change. */
  push(bytes: Uint8Array): Uint8Array[] {
    return this.#form === "text" ? this.#pushText(bytes) : this.#pushLines(bytes);
  }

  /** The rest as a message; `undefined` if there is none. */
  end(): Uint8Array | undefined {
    if (this.#heldLength === 0) return undefined;
    const rest = this.#release(new Uint8Array(0));
    return this.#valid(this.#form === "lines" ? withoutReturn(rest) : rest);
  }

  #pushText(bytes: Uint8Array): Uint8Array[] {
    const whole = this.#heldLength === 0 ? bytes : this.#release(bytes);
    const tail = incompleteTail(whole);
    if (tail > 0) this.#hold(whole.subarray(whole.length - tail));
    return tail === whole.length ? [] : [this.#valid(whole.subarray(0, whole.length - tail))];
  }

  #pushLines(bytes: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const part = bytes.subarray(start, end);
      const line = this.#heldLength === 0 ? part : this.#release(part);
      lines.push(this.#valid(withoutReturn(line)));
      start = end + 1;
    }
    if (start < bytes.length) this.#hold(bytes.subarray(start));
    if (this.#heldLength > MAX_LINE) lines.push(...this.#pushText(new Uint8Array(0)));
    return lines;
  }

  #hold(part: Uint8Array): void {
    this.#held.push(part.slice());
    this.#heldLength += part.length;
  }

  #release(more: Uint8Array): Uint8Array {
    const whole = concat([
      ...this.#held as Uint8Array<ArrayBuffer>[],
      more as Uint8Array<ArrayBuffer>,
    ]);
    this.#held = [];
    this.#heldLength = 0;
    return whole;
  }

  /** Text messages have to be valid UTF-8. */
  #valid(bytes: Uint8Array): Uint8Array {
    if (isUtf8(bytes)) return bytes;
    this.hasReplaced = true;
    return new TextEncoder().encode(new TextDecoder().decode(bytes));
  }
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
