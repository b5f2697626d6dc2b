/** Sections, interfaces and time resolutions of pcapng, compared with tshark. */
import { assertEquals } from "@std/assert";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import { run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { cooked2, datagram, ethernet, pcapFile } from "./wire.ts";

/** Builds the blocks of one section. */
class Section {
  readonly #out: number[] = [];
  readonly #isLittle: boolean;

  constructor(isLittle: boolean) {
    this.#isLittle = isLittle;
    this.#block(0x0a0d0d0a, [...this.#u32(0x1a2b3c4d), ...this.#u16(1), ...this.#u16(0)], [
      ...new Array<number>(8).fill(255),
    ]);
  }

  interface(link: number, { resolution, offset }: { resolution?: number; offset?: bigint } = {}) {
    const options: number[] = [];
    if (resolution !== undefined) {
      options.push(...this.#u16(9), ...this.#u16(1), resolution, 0, 0, 0);
    }
    if (offset !== undefined) options.push(...this.#u16(14), ...this.#u16(8), ...this.#u64(offset));
    this.#block(1, [...this.#u16(link), 0, 0, ...this.#u32(0)], [...options, 0, 0, 0, 0]);
    return this;
  }

  packet(device: number, time: bigint, bytes: Uint8Array) {
    const { length } = bytes;
    this.#block(6, [
      ...[
        ...this.#u32(device),
        ...this.#u32(Number(time >> 32n)),
        ...this.#u32(Number(time & 0xffffffffn)),
      ],
      ...[...this.#u32(length), ...this.#u32(length), ...bytes],
      ...new Array<number>((4 - length % 4) % 4).fill(0),
    ]);
    return this;
  }

  simple(bytes: Uint8Array) {
    const padding = new Array<number>((4 - bytes.length % 4) % 4).fill(0);
    this.#block(3, [...this.#u32(bytes.length), ...bytes, ...padding]);
    return this;
  }

  get bytes(): number[] {
    return this.#out;
  }

  #block(type: number, ...parts: (readonly number[])[]): void {
    const body = parts.flat();
    const length = this.#u32(body.length + 12);
    this.#out.push(...this.#u32(type), ...length, ...body, ...length);
  }

  #u16(value: number): number[] {
    return this.#ordered([value >>> 8 & 255, value & 255]);
  }

  #u32(value: number): number[] {
    return this.#ordered([value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255]);
  }

  #u64(value: bigint): number[] {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, value);
    return this.#ordered([...bytes]);
  }

  #ordered(bytes: number[]): number[] {
    return this.#isLittle ? bytes.toReversed() : bytes;
  }
}

function segment(seq: number): Uint8Array {
  return datagram({ seq, sourcePort: seq });
}

const SECONDS = 1_700_000_000n;

/**
 * Two sections in different byte orders, with interfaces of different resolutions and link types.
 */
function capture(): Uint8Array {
  const first = new Section(true)
    .interface(1)
    .interface(101, { resolution: 9 })
    .interface(276, { resolution: 3 })
    .interface(101, { resolution: 0x80 | 20 })
    .interface(101, { resolution: 9, offset: 1_600_000_000n })
    .packet(0, SECONDS * 1_000_000n + 123_457n, ethernet(segment(1)))
    .packet(1, SECONDS * 1_000_000_000n + 123_456_789n, segment(2))
    .packet(2, SECONDS * 1000n + 999n, cooked2(segment(3), 7))
    .packet(3, (SECONDS << 20n) + 0x80001n, segment(4))
    .packet(4, 100_000_000_000n * 1_000_000n / 1_000_000n + 5n, segment(5));
  const second = new Section(false)
    .interface(101, { resolution: 7 })
    .interface(1, { resolution: 0 })
    .packet(1, SECONDS, ethernet(segment(6)))
    .packet(0, SECONDS * 10_000_000n + 1n, segment(7));
  return Uint8Array.from([...first.bytes, ...second.bytes]);
}

function read(file: Uint8Array) {
  const reader = new CaptureReader();
  const decoder = new Decoder();
  const found = [];
  for (const packet of reader.read(file)) {
    const segment = new Segment();
    assertEquals(decoder.decode(packet, segment), "tcp");
    const { seconds, nanoseconds, seq } = segment;
    found.push({
      time: `${seconds}.${String(nanoseconds).padStart(9, "0")}`,
      seq,
      device: segment.interface,
    });
  }
  reader.finish();
  return { found, reader };
}

Deno.test("Each interface of each section has its own link type and resolution", () => {
  assertEquals(read(capture()).found, [
    { time: "1700000000.123457000", seq: 1, device: 1 },
    { time: "1700000000.123456789", seq: 2, device: 2 },
    { time: "1700000000.999000000", seq: 3, device: 7 },
    { time: "1700000000.500000953", seq: 4, device: 4 },
    { time: "1600000100.000000005", seq: 5, device: 5 },
    { time: "1700000000.000000000", seq: 6, device: 7 },
    { time: "1700000000.000000100", seq: 7, device: 6 },
  ]);
});

Deno.test("Resolutions finer than a nanosecond are exact to the nanosecond", () => {
  const tera = new Section(true).interface(101, { resolution: 12 })
    .packet(0, 1_234_567n * 1_000_000_000_000n + 123_456_789_999n, segment(1));
  const atto = new Section(false).interface(101, { resolution: 18 })
    .packet(0, 17n * 10n ** 18n + 999_999_999_999_999_999n, segment(2));
  const absurd = new Section(true).interface(101, { resolution: 127 }).packet(0, 5n, segment(3));
  const times = [tera, atto, absurd].map(({ bytes }) =>
    read(Uint8Array.from(bytes)).found[0]!.time
  );
  assertEquals(times, ["1234567.123456789", "17.999999999", "0.000000000"]);
});

Deno.test({
  name: `tshark reads the same times${isInstalled("tshark") ? "" : " (ignored: needs tshark)"}`,
  ignore: !isInstalled("tshark"),
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".pcapng" });
    try {
      await Deno.writeFile(path, capture());
      const fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "tcp.seq_raw"];
      const { stdout } = await run(["tshark", "-r", path, ...fields]);
      assertEquals(
        stdout.trim().split("\n"),
        read(capture()).found.map(({ time, seq }) => `${time}\t${seq}`),
      );
    } finally {
      await Deno.remove(path);
    }
  },
});

Deno.test("Packets without a timestamp are counted and get that of the packet before", () => {
  const section = new Section(true).interface(101, { resolution: 6 })
    .packet(0, SECONDS * 1_000_000n, segment(1))
    .simple(segment(2));
  const { found, reader } = read(Uint8Array.from(section.bytes));
  assertEquals(found.map(({ time }) => time), ["1700000000.000000000", "1700000000.000000000"]);
  assertEquals(reader.packetsWithoutTime, 1);
});

Deno.test("Concatenated pcap files may differ in resolution and byte order", () => {
  const micro = pcapFile([{ bytes: segment(1), seconds: 5, fraction: 6 }]);
  const nano = pcapFile([{ bytes: ethernet(segment(2)), seconds: 7, fraction: 8 }], {
    ...{ nanoseconds: true, littleEndian: false, link: 1 },
  });
  const { found } = read(Uint8Array.from([...micro, ...nano, ...micro]));
  assertEquals(found.map(({ time, seq }) => `${time} ${seq}`), [
    "5.000006000 1",
    "7.000000008 2",
    "5.000006000 1",
  ]);
});

Deno.test("Records of the modified pcap format are read", () => {
  const file = [...pcapFile([{ bytes: segment(1), seconds: 5 }])];
  file.splice(0, 4, 0x34, 0xcd, 0xb2, 0xa1);
  // Additional header fields: interface index, protocol, packet type.
  file.splice(24 + 16, 0, 2, 0, 0, 0, 8, 0, 0, 0);
  assertEquals(read(Uint8Array.from(file)).found.map(({ seq }) => seq), [1]);
});
