import { assert, assertEquals } from "@std/assert";
import { ReadBuffer } from "../../src/connection/read_buffer.ts";

Deno.test("a read buffer starts small, and grows up to its limit while reads fill it", () => {
  const buffer = new ReadBuffer();
  assertEquals(buffer.space.length, 512);
  for (let i = 0; i < 20; i++) buffer.take(buffer.space.length);
  assertEquals(buffer.space.length, 256 * 1024);
  buffer.release();
});

Deno.test("a read buffer shrinks to its first size when reads are small", () => {
  const buffer = new ReadBuffer();
  for (let i = 0; i < 20; i++) buffer.take(buffer.space.length);
  for (let i = 0; i < 20; i++) buffer.take(1);
  assertEquals(buffer.space.length, 512);
});

Deno.test("many read buffers that are filled share a megabyte, and one takes more when the others are released", () => {
  const buffers = Array.from({ length: 32 }, () => new ReadBuffer());
  const fill = () => buffers.forEach((buffer) => buffer.take(buffer.space.length));
  for (let i = 0; i < 20; i++) fill();
  const total = buffers.reduce((sum, { space }) => sum + space.length, 0);
  assert(total <= 1024 * 1024, `${total} bytes`);
  const [one, ...others] = buffers;
  for (const buffer of others) buffer.release();
  for (let i = 0; i < 20; i++) one!.take(one!.space.length);
  assertEquals(one!.space.length, 256 * 1024);
  one!.release();
});

Deno.test("bytes that were returned do not change when the buffer is reused", () => {
  const buffer = new ReadBuffer();
  buffer.space.fill(7);
  const taken = buffer.take(512);
  assert(taken.length === 512 && taken.every((byte) => byte === 7));
});
