/**
 * Parses a ClientHello (RFC 8446, section 4.1.2): to route by it, and to explain failed handshakes.
 *
 * @module
 */

import { isHost } from "../../endpoint/address.ts";

/** A ClientHello; lists are in its order, without the reserved values of RFC 8701 (GREASE). */
export interface ClientHello {
  /** The highest version offered: 0x0304 is TLS 1.3. */
  readonly version: number;
  /** The cipher suites. */
  readonly cipherSuites: readonly number[];
  /** The groups for the key exchange; empty without the extension. */
  readonly groups: readonly number[];
  /** The ALPN protocols. */
  readonly alpn: readonly string[];
  /** The host name that the client asks for (SNI, RFC 6066 section 3); `undefined` without a valid one. */
  readonly serverName: string | undefined;
}

/** The content type of handshake records. */
export const HANDSHAKE = 0x16;

/** The type of the message. */
export const CLIENT_HELLO = 1;

const EXTENSION = { serverName: 0, groups: 10, alpn: 16, versions: 43 } as const;
const RECORD_HEADER = 5;

/** Parses the first bytes of a client; `undefined` if they are not a whole ClientHello. */
export function readClientHello(bytes: Uint8Array): ClientHello | undefined {
  return parseClientHello(handshakeOf(bytes));
}

/** Parses a handshake message; `undefined` if it is not a whole ClientHello. */
export function parseClientHello(message: Uint8Array): ClientHello | undefined {
  try {
    return helloOf(new Reader(message));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The payload of the handshake records at the start of the bytes. */
function handshakeOf(bytes: Uint8Array): Uint8Array {
  const parts: number[] = [];
  let at = 0;
  while (bytes[at] === HANDSHAKE && at + RECORD_HEADER <= bytes.length) {
    const length = bytes[at + 3]! << 8 | bytes[at + 4]!;
    parts.push(...bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length));
    at += RECORD_HEADER + length;
  }
  return Uint8Array.from(parts);
}

function helloOf(message: Reader): ClientHello {
  if (message.number(1) !== CLIENT_HELLO) throw new RangeError("no ClientHello");
  const hello = new Reader(message.vector(3));
  const legacyVersion = hello.number(2);
  const RANDOM = 32;
  hello.bytes(RANDOM);
  hello.vector(1); // the session's id
  const cipherSuites = numbers(hello.vector(2));
  hello.vector(1); // methods of compression
  const extensions = new Map<number, Uint8Array>();
  const list = new Reader(hello.isAtEnd ? new Uint8Array() : hello.vector(2));
  while (!list.isAtEnd) extensions.set(list.number(2), list.vector(2));
  const list16 = (type: number) => {
    const extension = extensions.get(type);
    return extension === undefined ? [] : numbers(new Reader(extension).vector(2));
  };
  const offered = extensions.get(EXTENSION.versions);
  const versions = offered === undefined ? [] : numbers(new Reader(offered).vector(1));
  return {
    version: Math.max(legacyVersion, ...versions),
    cipherSuites,
    groups: list16(EXTENSION.groups),
    alpn: protocols(extensions.get(EXTENSION.alpn)),
    serverName: hostName(extensions.get(EXTENSION.serverName)),
  };
}

function hostName(extension: Uint8Array | undefined): string | undefined {
  if (extension === undefined) return undefined;
  const HOST_NAME = 0;
  const list = new Reader(new Reader(extension).vector(2));
  while (!list.isAtEnd) {
    const type = list.number(1);
    const name = new TextDecoder().decode(list.vector(2));
    if (type === HOST_NAME) return isHost(name) ? name.toLowerCase() : undefined;
  }
}

function numbers(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes);
  const all: number[] = [];
  while (!reader.isAtEnd) all.push(reader.number(2));
  return all.filter((number) => (number & 0x0f0f) !== 0x0a0a);
}

function protocols(extension: Uint8Array | undefined): string[] {
  if (extension === undefined) return [];
  const reader = new Reader(new Reader(extension).vector(2));
  const all: string[] = [];
  while (!reader.isAtEnd) all.push(new TextDecoder().decode(reader.vector(1)));
  return all;
}

/** Reads numbers and vectors in order; throws a RangeError at the end of the bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("cut short");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** An unsigned integer of `size` bytes. */
  number(size: number): number {
    return this.bytes(size).reduce((number, byte) => number * 256 + byte, 0);
  }

  /** A vector with a length prefix of `sizeOfLength` bytes. */
  vector(sizeOfLength: number): Uint8Array {
    return this.bytes(this.number(sizeOfLength));
  }
}
