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

/** A body in chunks (RFC 9112, section 7.1). */
class ChunkedBody implements Body {
  #state: "size" | "data" | "trailers" | "done" = "size";
  /** The bytes of the chunk and its CRLF that are still to come. */
  #left = 0;
  #line = "";
  #trailers = 0;

  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      at += this.#state === "data" ? this.#takeData(bytes, at) : this.#takeLine(bytes, at);
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
    if (this.#left === 0) this.#state = "size";
    return length;
  }

  #takeLine(bytes: Uint8Array, from: number): number {
    const end = bytes.indexOf(LINE_FEED, from);
    const part = bytes.subarray(from, end === -1 ? undefined : end + 1);
    if (this.#line.length + part.length > MAX_LINE) throw new Error("a chunk line is too long");
    this.#line += String.fromCharCode(...part);
    if (end !== -1) this.#endLine();
    return part.length;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    if (!line.endsWith("\r\n")) throw new Error("a chunk line of the request without CRLF");
    if (this.#state === "trailers") {
      this.#trailers += line.length;
      if (line === "\r\n") this.#state = "done";
      else if (this.#trailers > MAX_TRAILERS) throw new Error("the trailers are too long");
      return;
    }
    const [, size] = /^([0-9a-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n$/i.exec(line) ?? [];
    if (size === undefined) throw new Error("a chunk of the request without a size");
    const length = parseInt(size, 16);
    this.#state = length === 0 ? "trailers" : "data";
    this.#left = length + 2;
  }
}
