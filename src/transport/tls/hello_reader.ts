/**
 * Reads a client's first message of TLS as it comes, split over segments and records in any way.
 *
 * @module
 */
import { formatSize } from "../../options/quantity.ts";
import { ByteBuffer } from "../byte_buffer.ts";
import { CLIENT_HELLO, type ClientHello, HANDSHAKE, parseClientHello } from "./client_hello.ts";

const HEADER_LENGTH = 5;

/** The longest fragment of a record (RFC 8446, section 5.1). */
const MAX_FRAGMENT = 16 * 1024;

/**
 * The most bytes to the end of the message, headers of records included, as in nginx and HAProxy.
 * With a key share for post-quantum cryptography, it has about 2 KiB.
 */
const MAX_LENGTH = 16 * 1024;

/** Collects the ClientHello. Each byte is looked at once. */
export class ClientHelloReader {
  readonly #message = new ByteBuffer();
  readonly #header: number[] = [];
  /** The bytes of the current record that are still to come. */
  #left = 0;
  #received = 0;

  /**
   * Takes the next bytes. Returns the ClientHello once it is whole; what follows it is ignored.
   * @throws {Error} if this is none
   */
  push(bytes: Uint8Array): ClientHello | undefined {
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) this.#takeHeader(bytes[at++]!);
      else {
        const part = bytes.subarray(at, at + this.#left);
        this.#message.add(part);
        this.#left -= part.length;
        at += part.length;
        this.#received += part.length;
        const hello = this.#whole();
        if (hello) return hello;
      }
    }
  }

  #takeHeader(byte: number): void {
    this.#received++;
    if (this.#header.push(byte) < HEADER_LENGTH) return;
    const [type, major, , high, low] = this.#header;
    this.#left = high! << 8 | low!;
    this.#header.length = 0;
    if (type !== HANDSHAKE || major !== 3 || this.#left === 0 || this.#left > MAX_FRAGMENT) {
      throw invalid();
    }
  }

  #whole(): ClientHello | undefined {
    const [type, ...length] = this.#message.bytes.subarray(0, 4);
    if (type !== CLIENT_HELLO) throw invalid();
    if (length.length < 3) return undefined;
    const end = 4 + length.reduce((number, byte) => number * 256 + byte, 0);
    const rest = end - this.#message.length;
    if (this.#received + rest > MAX_LENGTH) {
      throw new Error(`its ClientHello is larger than ${formatSize(MAX_LENGTH)}`);
    }
    if (rest > 0) return undefined;
    const hello = parseClientHello(this.#message.bytes.subarray(0, end));
    if (!hello) throw invalid();
    return hello;
  }
}

function invalid(): Error {
  return new Error("its ClientHello is invalid");
}
