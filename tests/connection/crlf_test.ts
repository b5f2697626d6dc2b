import { assertEquals, assertStrictEquals } from "@std/assert";
import { CrlfEncoder } from "../../src/connection/crlf.ts";
import { bytesOf } from "../harness/bytes.ts";

function converted(...chunks: string[]): string {
  const encoder = new CrlfEncoder();
  return chunks.map((chunk) => new TextDecoder().decode(encoder.encode(bytesOf(chunk)))).join("");
}

Deno.test("a CR is inserted before every LF that lacks one", () => {
  assertEquals(converted("a\nb\r\n\n"), "a\r\nb\r\n\r\n");
  assertEquals(converted("\n", "", "\n\n"), "\r\n\r\n\r\n");
});

Deno.test("a CRLF that is split between two chunks is left unchanged", () => {
  assertEquals(converted("a\r", "\nb", "\n"), "a\r\nb\r\n");
  assertEquals(converted("a\r", "", "\nb"), "a\r\nb");
});

Deno.test("bytes that lack no CR are not copied", () => {
  const bytes = bytesOf("a\r\nb");
  assertStrictEquals(new CrlfEncoder().encode(bytes), bytes);
});
