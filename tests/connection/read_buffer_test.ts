import { assert, assertEquals } from "@std/assert";
import { ReadBuffer } from "../../src/connection/read_buffer.ts";

Deno.test("a read buffer starts small, and grows up to its limit while reads fill it", () => {
  const buffer = new ReadBuffer();
  assertEquals(buffer.space.length, 512);
  for (let i = 0; i < 20; i++) buffer.take(buffer.space.length);
  assertEquals(buffer.space.length, 256 * 1024);
});

Deno.test("a read buffer shrinks to its first size when reads are small", () => {
  const buffer = new ReadBuffer();
  for (let i = 0; i < 20; i++) buffer.take(buffer.space.length);
  for (let i = 0; i < 20; i++) buffer.take(1);
  assertEquals(buffer.space.length, 512);
});

Deno.test("bytes that were returned do not change when the buffer is reused", () => {
  const buffer = new ReadBuffer();
  buffer.space.fill(7);
  const taken = buffer.take(512);
  assert(taken.length === 512 && taken.every((byte) => byte === 7));
});
