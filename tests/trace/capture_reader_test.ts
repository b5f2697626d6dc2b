import { assert, assertEquals, assertThrows } from "@std/assert";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { CaptureError } from "../../src/trace/decode/packet.ts";
import { type CapturedPacket, datagram, type FileFields, pcapFile, pcapngFile } from "./wire.ts";

const RECORDS: CapturedPacket[] = [
  { bytes: datagram({ seq: 1 }), seconds: 1_700_000_000, fraction: 123_456 },
  { bytes: datagram({ seq: 2, payload: 7 }), seconds: 1_700_000_001, fraction: 5 },
  { bytes: datagram({ seq: 3, payload: 300 }), seconds: 1_700_000_001, fraction: 999_999 },
];

const FORMATS = { pcap: pcapFile, pcapng: pcapngFile };

function readAll(
  file: Uint8Array,
  chunkLength = file.length,
): { found: unknown[]; reader: CaptureReader } {
  const reader = new CaptureReader();
  const found: unknown[] = [];
  for (let at = 0; at < file.length; at += chunkLength) {
    for (const packet of reader.read(file.subarray(at, at + chunkLength))) {
      const { view, start, end, seconds, nanoseconds, link } = packet;
      const bytes = new Uint8Array(view.buffer.slice(start, end));
      found.push({ bytes, seconds, nanoseconds, link });
    }
  }
  reader.finish();
  return { found, reader };
}

for (const [name, file] of Object.entries(FORMATS)) {
  for (const littleEndian of [true, false]) {
    for (const nanoseconds of [true, false]) {
      const order = littleEndian ? "little" : "big";
      const unit = nanoseconds ? "nanoseconds" : "microseconds";
      Deno.test(`${name} of ${order}-endian ${unit} is read in chunks of any size`, () => {
        const fields: FileFields = { littleEndian, nanoseconds, link: 101 };
        const bytes = file(RECORDS, fields);
        const expected = RECORDS.map((record) => ({
          bytes: record.bytes,
          seconds: record.seconds,
          nanoseconds: (record.fraction ?? 0) * (nanoseconds ? 1 : 1000),
          link: 101,
        }));
        for (const chunkLength of [1, 3, 64, bytes.length]) {
          assertEquals(readAll(bytes, chunkLength).found, expected);
        }
      });
    }
  }

  Deno.test(`${name} truncated anywhere yields its complete packets and the offset of its end`, () => {
    const bytes = file(RECORDS);
    for (let length = 4; length < bytes.length; length += 1) {
      const { found, reader } = readAll(bytes.subarray(0, length), 50);
      assert(found.length < RECORDS.length);
      if (reader.truncatedAt !== undefined) assertEquals(reader.truncatedAt, length);
    }
    assertEquals(readAll(bytes).reader.truncatedAt, undefined);
  });
}

Deno.test("A packet with an impossible length ends the capture at its offset", () => {
  const bytes = pcapFile(RECORDS);
  const second = 24 + 16 + RECORDS[0]!.bytes.length;
  new DataView(bytes.buffer).setUint32(second + 8, 0xfffffff0, true);
  const error = assertThrows(() => readAll(bytes), CaptureError, "4294967280 bytes");
  assertEquals(error.offset, second);
});

Deno.test("A pcapng block with an impossible length ends the capture at its offset", () => {
  const bytes = pcapngFile(RECORDS);
  new DataView(bytes.buffer).setUint32(28 + 4, 7, true);
  const error = assertThrows(() => readAll(bytes), CaptureError, "a block of 7 bytes");
  assertEquals(error.offset, 28);
});

Deno.test("A pcapng packet longer than its block is skipped and counted", () => {
  const bytes = pcapngFile(RECORDS);
  const view = new DataView(bytes.buffer);
  // Packet blocks follow the section header, the interface description and an unknown block.
  const first = 28 + 32 + 24;
  view.setUint32(first + 8 + 12, 60_000, true);
  const { found, reader } = readAll(bytes);
  assertEquals(found.length, RECORDS.length - 1);
  assertEquals(reader.damagedBlocks, 1);
});

Deno.test("A block of one gigabyte is skipped without being buffered", () => {
  const bytes = pcapngFile([]);
  const huge = new Uint8Array(12);
  new DataView(huge.buffer).setUint32(0, 6, true);
  new DataView(huge.buffer).setUint32(4, 1 << 30, true);
  const reader = new CaptureReader();
  assertEquals([...reader.read(bytes), ...reader.read(huge)].length, 0);
  const chunk = new Uint8Array(1024 * 1024);
  for (let sent = 0; sent < (1 << 30) - huge.length; sent += chunk.length) {
    assertEquals([...reader.read(chunk.subarray(0, (1 << 30) - huge.length - sent))].length, 0);
  }
  assertEquals([...reader.read(pcapngFile(RECORDS))].length, RECORDS.length);
  reader.finish();
  assertEquals([reader.damagedBlocks, reader.truncatedAt], [1, undefined]);
});

Deno.test("Other file formats are refused by name", () => {
  const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0);
  assertThrows(() => readAll(gzip), CaptureError, "compressed twice");
  assertThrows(() => readAll(new TextEncoder().encode("hello")), CaptureError, "neither pcap nor");
  assertThrows(() => readAll(new Uint8Array()), CaptureError, "empty");
  assertThrows(() => readAll(Uint8Array.of(1, 2)), CaptureError, "not a capture: 2 bytes");
});
