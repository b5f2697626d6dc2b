/**
 * The body of a request that is sent on (RFC 9112, section 6): only it is passed on, so that what
 * follows does not reach the server as another request.
 *
 * @module
 */
import type { RelayFilter } from "../../connection/relay.ts";
import type { HttpHead } from "../../transport/http_head.ts";
import { Refusal } from "./refusal.ts";

/** The most characters of the line before a chunk, and of all trailers. */
const MAX_LINE = 1_024;
const MAX_TRAILERS = 16 * 1_024;

/** The most digits of a chunk's size. */
const MAX_DIGITS = 12;

/** What may follow the size: a tab, a space, a semicolon. */
const AFTER_SIZE = [0x09, 0x20, 0x3b];

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const NOTHING = new Uint8Array(0);

/**
 * Passes on the body that the head describes, and nothing after it.
 * @throws {Refusal} if it is not clear where the body ends
 */
export function bodyFilter(head: HttpHead): RelayFilter {
  const codings = head.list("transfer-encoding");
  const lengths = new Set(head.list("content-length"));
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]!.toLowerCase() !== "chunked" || lengths.size > 0) {
      throw new Refusal("malformed", "it is not clear where the body of the request ends");
    }
    return filterOf(new ChunkedBody());
  }
  const [length = "0", other] = lengths;
  if (other !== undefined || !/^\d{1,15}$/.test(length)) {
    throw new Refusal("malformed", "the Content-Length of the request is not valid");
  }
  return filterOf(new CountedBody(Number(length)));
}

/** A body of which some is still to come. */
interface Body {
  /**
   * How many of these bytes belong to it.
   * @throws {Error} what is wrong with them
   */
  take(bytes: Uint8Array): number;
}

function filterOf(body: Body): RelayFilter {
  return {
    pass: (bytes) => bytes.subarray(0, body.take(bytes)),
    end: () => NOTHING,
  };
}

/** A body of known length. */
class CountedBody implements Body {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  take(bytes: Uint8Array): number {
    const length = Math.min(bytes.length, this.#left);
    this.#left -= length;
    return length;
  }
}

/** A part of a body in chunks. */
type Part = "size" | "extension" | "end of size" | "data" | "trailer" | "end of trailer" | "done";

/** A body in chunks (RFC 9112, section 7.1). Every line has to end with CRLF. */
class ChunkedBody implements Body {
  #part: Part = "size";
  /** The bytes of the chunk and its CRLF that are still to come. */
  #left = 0;
  /** The characters of the line so far, and of all trailers. */
  #line = 0;
  #trailers = 0;

  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#part !== "done") {
      if (this.#part === "data") at += this.#takeData(bytes, at);
      else this.#part = this.#takeByte(bytes[at++]!);
    }
    return at;
  }

  #takeData(bytes: Uint8Array, from: number): number {
    const length = Math.min(bytes.length - from, this.#left);
    // Anything but CRLF at its end could be read differently by the server.
    for (let left = Math.min(this.#left, 2); left > 0; left--) {
      const at = from + this.#left - left;
      if (at >= from + length) break;
      if (bytes[at] === (left === 2 ? CARRIAGE_RETURN : LINE_FEED)) continue;
      throw new Error("a chunk of the request does not end with CRLF");
    }
    this.#left -= length;
    if (this.#left === 0) this.#part = "size";
    return length;
  }

  /** The part that follows a byte. */
  #takeByte(byte: number): Part {
    switch (this.#part) {
      case "size":
        return this.#takeSize(byte);
      case "extension":
        if (byte === LINE_FEED || ++this.#line > MAX_LINE) break;
        return byte === CARRIAGE_RETURN ? "end of size" : "extension";
      case "end of size":
        if (byte !== LINE_FEED) break;
        return this.#endSize();
      case "trailer":
        if (byte === CARRIAGE_RETURN) return "end of trailer";
        if (byte === LINE_FEED || ++this.#trailers > MAX_TRAILERS) break;
        this.#line++;
        return "trailer";
      case "end of trailer":
        if (byte !== LINE_FEED) break;
        if (this.#line === 0) return "done";
        this.#line = 0;
        return "trailer";
    }
    throw new Error(`the ${this.#part} of a chunk in the request is not valid`);
  }

  #takeSize(byte: number): Part {
    const digit = digitOf(byte);
    if (digit !== undefined && this.#line < MAX_DIGITS) {
      this.#left = this.#left * 16 + digit;
      this.#line++;
      return "size";
    }
    if (this.#line > 0 && byte === CARRIAGE_RETURN) return "end of size";
    if (this.#line > 0 && AFTER_SIZE.includes(byte)) return "extension";
    throw new Error("a chunk of the request without a valid size");
  }

  #endSize(): Part {
    this.#line = 0;
    if (this.#left === 0) return "trailer";
    this.#left += 2;
    return "data";
  }
}

/** The value of a hexadecimal digit. */
function digitOf(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const small = byte | 0x20;
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : undefined;
}
