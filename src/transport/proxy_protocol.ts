/**
 * PROXY protocol headers, versions 1 and 2, with which a proxy passes on the client's address
 * (HAProxy's `doc/proxy-protocol.txt`).
 *
 * @module
 */
import { type Address, type InternetAddress, isIPv4, isIPv6, isUnix } from "../endpoint/address.ts";
import { PeerRefused } from "./stage.ts";
import { bytesOfIp, formatIp, ipOfBytes, readExactIp, readIp, unmapped } from "../endpoint/ip.ts";

/** The addresses in a header: both ends of the connection to the proxy. */
export interface ProxiedEnds {
  /** The client's address. */
  readonly source: InternetAddress;
  /** The address that the client connected to. */
  readonly destination: InternetAddress;
}

/** The version of a header: a line of text, or binary. */
export type ProxyVersion = "v1" | "v2";

/** The address families of version 1. */
type Family = "TCP4" | "TCP6";

/** The bytes are not a valid PROXY header. The message is the reason and contains no peer data. */
export class ProxyHeaderError extends PeerRefused {
  /** Distinguishes it from other errors. */
  override readonly name = "ProxyHeaderError";
}

/** A parsed header. */
export interface ReadHeader {
  /** The addresses; `undefined` for `LOCAL` or `UNKNOWN`: the socket's own hold. */
  readonly ends: ProxiedEnds | undefined;
  /** The bytes after the header. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const encoder = new TextEncoder();
const LINE_START = encoder.encode("PROXY ");

/** Headers without addresses (`UNKNOWN`, `LOCAL`). */
const WITHOUT_ADDRESSES: Readonly<Record<ProxyVersion, Uint8Array<ArrayBuffer>>> = {
  v1: encoder.encode("PROXY UNKNOWN\r\n"),
  v2: Uint8Array.of(...SIGNATURE, 0x21, 0x00, 0, 0),
};

/** The maximum length of a version 1 header in bytes, with its CRLF. */
const MAX_LINE = 107;

/** The length of version 2's fixed part in bytes: signature, command, family and length. */
const FIXED_LENGTH = 16;

const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;

/** Parses a header incrementally. It buffers no more than the maximum length of a header. */
export class ProxyHeaderReader {
  #space: Uint8Array<ArrayBuffer> = new Uint8Array(MAX_LINE);
  #length = 0;

  /**
   * Feeds the next bytes.
   * @returns the header once it is complete
   * @throws {ProxyHeaderError} as soon as the bytes cannot be the start of a header
   */
  push(bytes: Uint8Array): ReadHeader | undefined {
    const held = this.#append(bytes);
    const length = headerLength(held);
    if (length === undefined || held.length < length) return undefined;
    return { ends: parse(held.subarray(0, length)), rest: held.subarray(length) };
  }

  /**
   * Appends to the buffer, which doubles its capacity, so that single bytes are not copied each
   * time.
   */
  #append(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = this.#length + bytes.length;
    if (length > this.#space.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#space.subarray(0, this.#length));
      this.#space = larger;
    }
    this.#space.set(bytes, this.#length);
    this.#length = length;
    return this.#space.subarray(0, length);
  }
}

/**
 * The header with these addresses. Addresses that a header cannot contain, such as those of Unix
 * sockets, are omitted, and the receiver uses the socket's own.
 */
export function proxyHeader(
  version: ProxyVersion,
  { source, destination }: { source: Address; destination: Address },
): Uint8Array<ArrayBuffer> {
  const ends = isUnix(source) || isUnix(destination) ? undefined : { source, destination };
  const family = ends && commonFamily(ends);
  if (ends === undefined || family === undefined) return WITHOUT_ADDRESSES[version];
  return version === "v1" ? lineOf(ends, family) : bytesOf(ends, family);
}

/** The length of the header that starts with these bytes; `undefined` if more are needed. */
function headerLength(bytes: Uint8Array): number | undefined {
  if (bytes.length === 0) return undefined;
  return bytes[0] === SIGNATURE[0] ? binaryLength(bytes) : lineLength(bytes);
}

function parse(header: Uint8Array): ProxiedEnds | undefined {
  return header[0] === SIGNATURE[0] ? parseBinary(header) : parseLine(header);
}

function lineLength(bytes: Uint8Array): number | undefined {
  expectStart(bytes, LINE_START);
  const line = bytes.subarray(0, MAX_LINE);
  const end = line.findIndex((byte) => byte === CARRIAGE_RETURN || byte === NEWLINE);
  if (end === -1) {
    if (bytes.length >= MAX_LINE) refuse(`no line end in the first ${MAX_LINE} bytes`);
    return undefined;
  }
  if (line[end] === NEWLINE) refuse("a line feed without a carriage return");
  if (end + 1 === MAX_LINE) refuse(`no line end in the first ${MAX_LINE} bytes`);
  if (end + 1 === line.length) return undefined;
  if (line[end + 1] !== NEWLINE) refuse("a carriage return without a line feed");
  return end + 2;
}

function parseLine(header: Uint8Array): ProxiedEnds | undefined {
  const line = String.fromCharCode(...header.subarray(LINE_START.length, -2));
  const [family = "", ...fields] = line.split(" ");
  if (family === "UNKNOWN") return undefined;
  if (family !== "TCP4" && family !== "TCP6") refuse("neither TCP4, TCP6 nor UNKNOWN");
  if (fields.length !== 4) refuse("not two addresses and two ports, one space between each");
  const [source = "", destination = "", sourcePort = "", destinationPort = ""] = fields;
  return {
    source: { hostname: readHost(source, family), port: readPort(sourcePort) },
    destination: { hostname: readHost(destination, family), port: readPort(destinationPort) },
  };
}

function readHost(text: string, family: Family): string {
  if (family === "TCP4") return isIPv4(text) ? text : refuse("an address that is not IPv4");
  if (!isIPv6(text)) refuse("an address that is not IPv6");
  // A listener on `[::]` sees IPv4 clients as v4-mapped addresses, and proxies pass them on
  // unchanged.
  return formatIp(readIp(text));
}

function readPort(text: string): number {
  const port = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : NaN;
  return port <= 65535 ? port : refuse("a port that is not 0 to 65535");
}

/** The length of both addresses and ports by family and transport. Unix addresses are skipped. */
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

function binaryLength(bytes: Uint8Array): number | undefined {
  expectStart(bytes, SIGNATURE);
  const [command, family] = bytes.subarray(SIGNATURE.length);
  if (command !== undefined && command >> 4 !== 2) refuse("a version other than 1 and 2");
  if (command !== undefined && (command & 0xf) > 1) refuse("a command other than LOCAL and PROXY");
  if (family !== undefined && command === 0x21 && !ADDRESS_LENGTHS.has(family)) {
    refuse("a family other than TCP over IPv4 and IPv6");
  }
  return bytes.length < FIXED_LENGTH ? undefined : FIXED_LENGTH + wordAt(bytes, FIXED_LENGTH - 2);
}

function parseBinary(header: Uint8Array): ProxiedEnds | undefined {
  const [command, family = 0] = header.subarray(SIGNATURE.length);
  if (command === 0x20 || family === 0x00) return undefined;
  const payload = header.subarray(FIXED_LENGTH);
  const length = ADDRESS_LENGTHS.get(family)!;
  if (payload.length < length) refuse("too short for its addresses");
  checkExtensions(payload.subarray(length));
  return family === 0x31 ? undefined : parseEnds(payload.subarray(0, length));
}

function parseEnds(bytes: Uint8Array): ProxiedEnds {
  const size = (bytes.length - 4) / 2;
  return {
    source: { hostname: hostOf(bytes.subarray(0, size)), port: wordAt(bytes, size * 2) },
    destination: {
      hostname: hostOf(bytes.subarray(size, size * 2)),
      port: wordAt(bytes, size * 2 + 2),
    },
  };
}

/** Checks that the type-length-value fields after the addresses are well-formed. None is used. */
function checkExtensions(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const end = at + 3 > bytes.length ? Infinity : at + 3 + wordAt(bytes, at + 1);
    if (end > bytes.length) refuse("an extension that is longer than the header");
    at = end;
  }
}

/** The address as text; a v4-mapped one becomes IPv4. */
function hostOf(bytes: Uint8Array): string {
  return formatIp(unmapped(ipOfBytes(bytes)));
}

function lineOf({ source, destination }: ProxiedEnds, family: Family): Uint8Array<ArrayBuffer> {
  const hosts = `${source.hostname} ${destination.hostname}`;
  return encoder.encode(`PROXY ${family} ${hosts} ${source.port} ${destination.port}\r\n`);
}

function bytesOf({ source, destination }: ProxiedEnds, family: Family): Uint8Array<ArrayBuffer> {
  const ends = [source, destination];
  const hosts = ends.flatMap(({ hostname }) => bytesOfIp(readExactIp(hostname)));
  const ports = ends.flatMap(({ port }) => [port >> 8, port & 0xff]);
  const code = family === "TCP4" ? 0x11 : 0x21;
  return Uint8Array.of(...SIGNATURE, 0x21, code, 0, hosts.length + 4, ...hosts, ...ports);
}

function commonFamily({ source, destination }: ProxiedEnds): Family | undefined {
  const both = (holds: (host: string) => boolean) =>
    holds(source.hostname) && holds(destination.hostname);
  return both(isIPv4) ? "TCP4" : both(isIPv6) ? "TCP6" : undefined;
}

function expectStart(bytes: Uint8Array, start: Uint8Array): void {
  const length = Math.min(bytes.length, start.length);
  for (let at = 0; at < length; at++) {
    if (bytes[at] !== start[at]) refuse("received other data first");
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

function refuse(reason: string): never {
  throw new ProxyHeaderError(`no valid PROXY header: ${reason}`);
}
