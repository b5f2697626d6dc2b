import { assertEquals } from "@std/assert";
import { LineSplitter } from "../../src/connection/lines.ts";
import { bytesOf, noise } from "../harness/bytes.ts";

function split(
  chunks: readonly Uint8Array[],
  limit = 16,
): { text: string; isTruncated: boolean }[] {
  const splitter = new LineSplitter({ limit });
  return [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
}

function texts(...chunks: string[]): string[] {
  return split(chunks.map(bytesOf)).map(({ text }) => text);
}

Deno.test("lines end in LF or CRLF, and the last one may lack it", () => {
  assertEquals(texts("one\ntwo\r\nthree"), ["one", "two", "three"]);
  assertEquals(texts("\n\r\n"), ["", ""]);
  assertEquals(texts(""), []);
});

Deno.test("a line may arrive in any number of chunks, also split inside a character or CRLF", () => {
  const bytes = bytesOf("grüße\r\n😀\n");
  assertEquals(split([...bytes].map((byte) => Uint8Array.of(byte))).map(({ text }) => text), [
    "grüße",
    "😀",
  ]);
});

Deno.test("a line over the limit is truncated and marked, without effect on the next", () => {
  assertEquals(split([bytesOf("x".repeat(40) + "\nnext\n")]), [
    { text: "x".repeat(16), isTruncated: true },
    { text: "next", isTruncated: false },
  ]);
  assertEquals(split([bytesOf("x".repeat(16) + "\n")]), [{
    text: "x".repeat(16),
    isTruncated: false,
  }]);
});

Deno.test("bytes that are not UTF-8 become U+FFFD", () => {
  assertEquals(split([Uint8Array.of(0x61, 0xff, 0x62, 0x0a)])[0]?.text, "a\ufffdb");
});

Deno.test("the same bytes in any chunks give the same lines", () => {
  const bytes = noise(5000, 7).map((byte) => byte < 40 ? 0x0a : byte);
  const whole = split([bytes], 64);
  for (const size of [1, 2, 3, 7, 64, 1000]) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.subarray(i * size, (i + 1) * size),
    );
    assertEquals(split(chunks, 64), whole);
  }
});
