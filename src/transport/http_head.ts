/**
 * The head of an HTTP/1.1 message (RFC 9112), read strictly and with a limited length.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";

/** The size of the first buffer, and the maximum length of a head, in bytes. */
const FIRST_BUFFER = 1024;
const MAX_HEAD = 16 * 1024;

/** A field line: a token, a colon, and a value without control characters. */
// deno-lint-ignore no-control-regex
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*$/;

/** A request line or a status line, as far as it goes. */
const START = {
  request: /^[A-Z]+ [^ ]+ HTTP\/1\.[01]$/,
  response: /^HTTP\/1\.[01] \d{3}(?: .*)?$/,
};

/** What is wrong with a head. */
export class HeadError extends Error {
  /** Distinguishes it from errors of the stream. */
  override readonly name = "HeadError";
}

/** The head of a request or a response. */
export class HttpHead {
  /** The request line or status line. */
  readonly start: string;
  /** The field lines, as they were received. */
  readonly lines: readonly string[];
  readonly #fields: ReadonlyMap<string, readonly string[]>;

  /** A head of these field lines, and their values by lower-case name. */
  constructor(
    { start, lines, fields }: {
      start: string;
      lines: readonly string[];
      fields: ReadonlyMap<string, readonly string[]>;
    },
  ) {
    this.start = start;
    this.lines = lines;
    this.#fields = fields;
  }

  /** The values of all fields with this lower-case name. */
  all(name: string): readonly string[] {
    return this.#fields.get(name) ?? [];
  }

  /** The value of the only field with this name; `undefined` if there is none or several. */
  only(name: string): string | undefined {
    const values = this.all(name);
    return values.length === 1 ? values[0] : undefined;
  }

  /** The members of a list, which may be in several fields. */
  list(name: string): string[] {
    return this.all(name).flatMap((value) => value.split(",")).map((word) => word.trim())
      .filter((word) => word !== "");
  }

  /** Whether a list has this member, in any case. */
  has(name: string, member: string): boolean {
    return this.list(name).some((word) => word.toLowerCase() === member);
  }
}

/** Collects a head. */
export class HeadReader {
  readonly #kind: keyof typeof START;
  #bytes = new Uint8Array(FIRST_BUFFER);
  #length = 0;
  #isStartChecked = false;

  /** Reads a request or a response. */
  constructor(kind: keyof typeof START) {
    this.#kind = kind;
  }

  /** Whether nothing was received. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** The buffer for the next read. */
  get space(): Uint8Array {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(this.#length);
  }

  /**
   * Takes what was read. Returns the head and the bytes after it, once it is complete.
   * @throws {HeadError} if it is none
   */
  take(length: number): { head: HttpHead; rest: Uint8Array } | undefined {
    const from = Math.max(0, this.#length - 3);
    this.#length += length;
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#checkStart(bytes);
    const end = endOfHead(bytes, from);
    if (end !== undefined) {
      return { head: parse(latin1(bytes.subarray(0, end - 4))), rest: bytes.slice(end) };
    }
    if (this.#length === MAX_HEAD) throw new HeadError(`a head of over ${MAX_HEAD} bytes`);
  }

  /**
   * Takes bytes of another buffer. Returns the head and the bytes after it, once it is complete.
   * @throws {HeadError} if it is none
   */
  push(bytes: Uint8Array): { head: HttpHead; rest: Uint8Array<ArrayBuffer> } | undefined {
    for (let at = 0; at < bytes.length;) {
      const { space } = this;
      const part = bytes.subarray(at, at + space.length);
      space.set(part);
      at += part.length;
      const found = this.take(part.length);
      if (found) return { head: found.head, rest: concat([found.rest, bytes.subarray(at)]) };
    }
  }

  /** Refuses what is no HTTP as soon as that is clear. */
  #checkStart(bytes: Uint8Array): void {
    if (this.#isStartChecked) return;
    if (bytes[0] === 0x16) throw new HeadError("a TLS ClientHello instead of an HTTP request");
    const isLetter = bytes[0]! >= 0x41 && bytes[0]! <= 0x5a;
    const end = bytes.indexOf(0x0a);
    if (isLetter && end === -1) return;
    const line = latin1(bytes.subarray(0, Math.max(0, end - 1)));
    if (!isLetter || bytes[end - 1] !== 0x0d || !START[this.#kind].test(line)) {
      throw new HeadError(`no HTTP ${this.#kind}`);
    }
    this.#isStartChecked = true;
  }
}

function endOfHead(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(0x0a, from); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at - 1] === 0x0d && bytes[at - 2] === 0x0a && bytes[at - 3] === 0x0d) return at + 1;
  }
}

function parse(text: string): HttpHead {
  const [start = "", ...lines] = text.split("\r\n");
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) throw new HeadError("a header field that is not valid");
    const key = name.toLowerCase();
    const values = fields.get(key);
    if (values) values.push(value!);
    else fields.set(key, [value!]);
  }
  return new HttpHead({ start, lines, fields });
}

/** The bytes of a head, as they are sent. */
export function headBytes(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(`${lines.join("\r\n")}\r\n\r\n`, (letter) => letter.charCodeAt(0));
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
