import { assertEquals } from "@std/assert";
import { FrameReader } from "../../../src/transport/websocket/frame_reader.ts";
import { concat } from "@std/bytes/concat";
import { bytesOf, noise } from "../../harness/bytes.ts";
import { closing, frame } from "../../harness/frames.ts";

const OPTIONS = { isMasked: true, maxMessage: 1_000_000, lines: false };

/** What a reader makes of bytes that come in pieces of this size, into a buffer of that size. */
function read(
  bytes: Uint8Array,
  { size = bytes.length, ...options } = {} as {
    size?: number;
    lines?: boolean;
    isMasked?: boolean;
    maxMessage?: number;
  },
) {
  const reader = new FrameReader({ ...OPTIONS, ...options });
  const payload: number[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const buffer = bytes.slice(at, at + size);
    payload.push(...buffer.subarray(0, reader.take(buffer, buffer.length)));
    while (reader.owesNewline) {
      const room = new Uint8Array(1);
      payload.push(...room.subarray(0, reader.take(room, 0)));
    }
  }
  const { fault, close, ping } = reader;
  return { text: new TextDecoder().decode(new Uint8Array(payload)), fault, close, ping, payload };
}

Deno.test("payloads of text, binary and fragmented messages are one stream, in pieces of any size", () => {
  const bytes = concat([
    frame(1, "one "),
    frame(2, "two "),
    frame(1, "th", { fin: false }),
    frame(9, "ping"),
    frame(0, "re", { fin: false }),
    frame(0, "e "),
    frame(2, ""),
    frame(2, "x".repeat(200)),
    frame(2, "y".repeat(70_000)),
    frame(8, closing(1000, "bye")),
    frame(2, "after the close frame nothing counts"),
  ]);
  const expected = "one two three " + "x".repeat(200) + "y".repeat(70_000);
  for (const size of [1, 2, 3, 7, 100, 4096, bytes.length]) {
    const { text, fault, close, ping } = read(bytes, { size });
    assertEquals([text === expected, fault, close], [true, undefined, {
      code: 1000,
      reason: "bye",
    }]);
    assertEquals(ping, bytesOf("ping"));
  }
});

const FAULTS: readonly (readonly [what: string, bytes: Uint8Array, code: number])[] = [
  ["a frame without a mask", frame(2, "x", { key: undefined }), 1002],
  ["reserved bit 1", frame(2, "x", { rsv: 4 }), 1002],
  ["reserved bit 2", frame(2, "x", { rsv: 2 }), 1002],
  ["reserved bit 3", frame(9, "x", { rsv: 1 }), 1002],
  ["an unknown data opcode", frame(3, "x"), 1002],
  ["an unknown control opcode", frame(11, "x"), 1002],
  ["a fragmented ping", frame(9, "x", { fin: false }), 1002],
  ["a ping of 126 bytes", frame(9, "x".repeat(126)), 1002],
  ["a continuation of nothing", frame(0, "x"), 1002],
  ["a message within a message", concat([frame(1, "x", { fin: false }), frame(1, "y")]), 1002],
  ["a length that is too long by two bytes", frame(2, "x", { lengthBytes: 2 }), 1002],
  ["a length that is too long by eight bytes", frame(2, "x".repeat(200), { lengthBytes: 8 }), 1002],
  [
    "a length with its highest bit set",
    Uint8Array.of(0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1),
    1002,
  ],
  ["a length of exabytes", Uint8Array.of(0x82, 0xff, 0x7f, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1), 1009],
  ["a message over the limit", frame(2, "x".repeat(1001)), 1009],
  [
    "fragments over the limit",
    concat([frame(2, "x".repeat(600), { fin: false }), frame(0, "x".repeat(401))]),
    1009,
  ],
  ["text that is not UTF-8", frame(1, Uint8Array.of(0xff)), 1007],
  ["an overlong character", frame(1, Uint8Array.of(0xc0, 0xaf)), 1007],
  ["a surrogate", frame(1, Uint8Array.of(0xed, 0xa0, 0x80)), 1007],
  ["text that ends within a character", frame(1, Uint8Array.of(0xe2, 0x82)), 1007],
  [
    "a character that breaks off at a fragment",
    concat([frame(1, Uint8Array.of(0xe2), { fin: false }), frame(0, "x")]),
    1007,
  ],
  ["a close frame of one byte", frame(8, Uint8Array.of(3)), 1002],
  ["close code 999", frame(8, closing(999)), 1002],
  ["close code 1004", frame(8, closing(1004)), 1002],
  ["close code 1005", frame(8, closing(1005)), 1002],
  ["close code 1006", frame(8, closing(1006)), 1002],
  ["close code 1015", frame(8, closing(1015)), 1002],
  ["close code 2999", frame(8, closing(2999)), 1002],
  ["close code 5000", frame(8, closing(5000)), 1002],
  ["a close reason that is not UTF-8", frame(8, Uint8Array.of(3, 232, 0xff)), 1007],
];

for (const [what, bytes, code] of FAULTS) {
  Deno.test(`${what} is refused with ${code}, after what came before it, in pieces of any size`, () => {
    const all = concat([frame(2, "before"), bytes, frame(2, "after")]);
    for (const size of [1, 5, all.length]) {
      const { text, fault } = read(all, { size, maxMessage: 1000 });
      assertEquals([text.startsWith("before"), text.includes("after"), fault?.code], [
        true,
        false,
        code,
      ]);
    }
  });
}

Deno.test("frames of servers must not be masked", () => {
  assertEquals(read(frame(2, "x"), { isMasked: false }).fault?.code, 1002);
  assertEquals(read(frame(2, "x", { key: undefined }), { isMasked: false }).text, "x");
});

Deno.test("a character may be divided over fragments and reads", () => {
  const euro = [0xe2, 0x82, 0xac];
  const bytes = concat(
    euro.map((byte, at) => frame(at === 0 ? 1 : 0, Uint8Array.of(byte), { fin: at === 2 })),
  );
  for (const size of [1, 2, bytes.length]) assertEquals(read(bytes, { size }).text, "€");
});

Deno.test("every close code that may be sent is read with its reason", () => {
  for (
    const code of [
      1000,
      1001,
      1002,
      1003,
      1007,
      1008,
      1009,
      1010,
      1011,
      1012,
      1013,
      1014,
      3000,
      4999,
    ]
  ) {
    assertEquals(read(frame(8, closing(code, "why"))).close, { code, reason: "why" });
  }
  assertEquals(read(frame(8)).close, { code: undefined, reason: "" });
});

Deno.test("as lines, each message gets the newline that it lacks, in pieces of any size", () => {
  const bytes = concat([
    frame(1, "one"),
    frame(1, "two\n"),
    frame(1, ""),
    frame(1, "th", { fin: false }),
    frame(0, "ree"),
    frame(1, ""),
    frame(1, ""),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    assertEquals(read(bytes, { size, lines: true }).text, "one\ntwo\n\nthree\n\n\n");
  }
});

Deno.test("masks are removed at every alignment and in every length", () => {
  const data = noise(300);
  for (let lead = 0; lead < 8; lead++) {
    for (const length of [0, 1, 47, 48, 49, 63, 64, 65, 255, 300]) {
      const bytes = concat([frame(2, data.subarray(0, lead)), frame(2, data.subarray(0, length))]);
      const { payload } = read(bytes);
      assertEquals(payload, [...data.subarray(0, lead), ...data.subarray(0, length)]);
    }
  }
});

Deno.test("frames of noise, cut anywhere, never break the reader, and are read the same in any pieces", () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = noise(64, seed);
    const opcode = random[0]! % 16;
    const isWhole = seed % 3 > 0;
    const parts = [
      frame(1 + random[1]! % 2, random.subarray(8, 8 + random[2]! % 40), {
        fin: random[3]! % 2 === 0,
      }),
      frame(opcode, random.subarray(20, 20 + random[4]! % 30), {
        rsv: random[5]! % 20 === 0 ? 1 : 0,
      }),
      isWhole ? frame(0, random.subarray(30)) : random,
    ];
    const bytes = concat(parts).slice(0, isWhole ? undefined : random[6]! + 1);
    const whole = read(bytes);
    for (const size of [1, 1 + random[7]! % 16]) {
      const { payload, fault, close } = read(bytes, { size });
      assertEquals([fault?.code, close], [whole.fault?.code, whole.close]);
      // A chunk of text that turns out not to be UTF-8 is not delivered, however long it is.
      if (whole.fault?.code !== 1007) assertEquals(payload, whole.payload);
    }
  }
});
