/**
 * Builds packets and capture files.
 *
 * @module
 */

/** Control bits by letter, as in tcpdump. */
const FLAG_LETTERS: Readonly<Record<string, number>> = {
  ...{ F: 1, S: 2, R: 4, P: 8, A: 16 },
  ...{ E: 0x40, C: 0x80, N: 0x100 },
};

/** Fields of a TCP segment in an IP datagram. */
export interface DatagramFields {
  readonly source?: readonly number[];
  readonly destination?: readonly number[];
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly payload?: number;
  /** TCP options, padded by the caller. */
  readonly options?: readonly number[];
  /** IPv4 options, or IPv6 extension headers. */
  readonly networkOptions?: readonly number[];
  readonly firstHeader?: number;
  /** IPv4 flags and fragment offset. */
  readonly fragment?: number;
}

const CLIENT = [192, 0, 2, 1];
const SERVER = [192, 0, 2, 2];

/** Parses control bits such as `SA`. */
export function bits(letters: string): number {
  return [...letters].reduce((all, letter) => all | (FLAG_LETTERS[letter] ?? 0), 0);
}

/** A 16-bit big-endian number. */
export function u16(value: number): number[] {
  return [value >>> 8 & 255, value & 255];
}

/** A 32-bit big-endian number. */
export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

/** Builds a TCP segment in IPv4, or in IPv6 if the addresses have sixteen bytes. */
export function datagram(fields: DatagramFields = {}): Uint8Array {
  const { source = CLIENT, destination = SERVER, networkOptions = [], firstHeader = 6 } = fields;
  const transport = segment(fields);
  if (source.length === 16) {
    return Uint8Array.from([
      ...[0x60, 0, 0, 0, ...u16(networkOptions.length + transport.length), firstHeader, 64],
      ...[...source, ...destination, ...networkOptions, ...transport],
    ]);
  }
  const words = 5 + networkOptions.length / 4;
  return Uint8Array.from([
    ...[0x40 | words, 0, ...u16(words * 4 + transport.length), 0, 0, ...u16(fields.fragment ?? 0)],
    ...[64, 6, 0, 0, ...source, ...destination, ...networkOptions, ...transport],
  ]);
}

function segment(fields: DatagramFields): number[] {
  const { options = [], payload = 0 } = fields;
  return [
    ...u16(fields.sourcePort ?? 40_000),
    ...u16(fields.destinationPort ?? 80),
    ...u32(fields.seq ?? 0),
    ...u32(fields.ack ?? 0),
    ...u16((5 + options.length / 4) << 12 | bits(fields.flags ?? "S")),
    ...u16(fields.window ?? 65_535),
    ...[0, 0, 0, 0, ...options],
    ...new Array<number>(payload).fill(0x78),
  ];
}

/** Builds an ICMP or ICMPv6 error. */
export function icmpError(
  { type, code, quoted, reporter }: {
    type: number;
    code: number;
    quoted: Uint8Array;
    reporter: readonly number[];
  },
): Uint8Array {
  const message = [type, code, 0, 0, 0, 0, 0, 0, ...quoted];
  if (reporter.length === 16) {
    const target = quoted.subarray(8, 24);
    return Uint8Array.from([
      ...[0x60, 0, 0, 0, ...u16(message.length), 58, 64, ...reporter, ...target, ...message],
    ]);
  }
  const target = quoted.subarray(12, 16);
  return Uint8Array.from([
    ...[0x45, 0, ...u16(20 + message.length), 0, 0, 0, 0, 64, 1, 0, 0],
    ...[...reporter, ...target, ...message],
  ]);
}

/** A captured packet. */
export interface CapturedPacket {
  readonly bytes: Uint8Array;
  readonly seconds?: number;
  /** Microseconds or nanoseconds, as the file has them. */
  readonly fraction?: number;
  /** Length on the wire. */
  readonly originalLength?: number;
}

/** Format of a capture file. */
export interface FileFields {
  readonly link?: number;
  readonly littleEndian?: boolean;
  readonly nanoseconds?: boolean;
}

/** Builds a pcap file. */
export function pcapFile(records: readonly CapturedPacket[], fields: FileFields = {}): Uint8Array {
  const { link = 101, littleEndian = true, nanoseconds = false } = fields;
  const writer = new Writer(littleEndian);
  writer.words(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4).halves(2, 4).words(0, 0, 262_144, link);
  for (const { bytes, seconds = 0, fraction = 0, originalLength = bytes.length } of records) {
    writer.words(seconds, fraction, bytes.length, originalLength).bytes(bytes);
  }
  return writer.all();
}

/** Builds a pcapng file with one section and one interface. */
export function pcapngFile(
  records: readonly CapturedPacket[],
  fields: FileFields = {},
): Uint8Array {
  const { link = 101, littleEndian = true, nanoseconds = false } = fields;
  const resolution = nanoseconds ? 9 : 6;
  const writer = new Writer(littleEndian);
  block(writer, 0x0a0d0d0a, (body) => body.words(0x1a2b3c4d).halves(1, 0).words(-1, -1));
  block(writer, 1, (body) => {
    body.halves(link, 0).words(0).halves(9, 1).bytes(Uint8Array.of(resolution, 0, 0, 0)).words(0);
  });
  // An unknown block, to be skipped.
  block(writer, 0x0bad, (body) => body.words(1, 2, 3));
  for (const { bytes, seconds = 0, fraction = 0, originalLength = bytes.length } of records) {
    const time = BigInt(seconds) * BigInt(10 ** resolution) + BigInt(fraction);
    block(writer, 6, (body) => {
      body.words(0, Number(time >> 32n), Number(time & 0xffffffffn), bytes.length, originalLength)
        .bytes(bytes).bytes(new Uint8Array((4 - bytes.length % 4) % 4));
    });
  }
  return writer.all();
}

function block(writer: Writer, type: number, fill: (body: Writer) => void): void {
  const body = new Writer(writer.littleEndian);
  fill(body);
  const bytes = body.all();
  const length = bytes.length + 12;
  writer.words(type, length).bytes(bytes).words(length);
}

class Writer {
  readonly littleEndian: boolean;
  readonly #out: number[] = [];

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  words(...values: number[]): this {
    return this.#numbers(values, u32);
  }

  halves(...values: number[]): this {
    return this.#numbers(values, u16);
  }

  bytes(bytes: Uint8Array): this {
    this.#out.push(...bytes);
    return this;
  }

  all(): Uint8Array {
    return Uint8Array.from(this.#out);
  }

  #numbers(values: readonly number[], big: (value: number) => number[]): this {
    for (const value of values) {
      this.#out.push(...this.littleEndian ? big(value).toReversed() : big(value));
    }
    return this;
  }
}

/** Builds an Ethernet frame, with VLAN tags if given. */
export function ethernet(ip: Uint8Array, vlans: readonly number[] = []): Uint8Array {
  const type = ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd;
  const tags = vlans.flatMap((tag, index) => [...u16(index === 0 ? 0x8100 : 0x88a8), ...u16(tag)]);
  return Uint8Array.from([...new Array<number>(12).fill(2), ...tags, ...u16(type), ...ip]);
}

/** Builds a LINKTYPE_LINUX_SLL packet. */
export function cooked(ip: Uint8Array): Uint8Array {
  const type = ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd;
  return Uint8Array.from([0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, ...u16(type), ...ip]);
}

/** Builds a LINKTYPE_LINUX_SLL2 packet. */
export function cooked2(ip: Uint8Array, device = 1): Uint8Array {
  const type = ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd;
  const header = [...u16(type), 0, 0, ...u32(device), 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...ip]);
}

/** Builds a BSD loopback packet. */
export function loopback(ip: Uint8Array, family: readonly number[]): Uint8Array {
  return Uint8Array.from([...family, ...ip]);
}
