import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineWriter } from "../../src/terminal/line_writer.ts";

Deno.test("lines are written in order, however little the stream takes at a time", async () => {
  let text = "";
  const writer = new LineWriter({
    write(bytes) {
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      return Promise.resolve(Math.min(3, bytes.length));
    },
  });
  writer.write("one");
  writer.write("two");
  await writer.flush();
  writer.write("three");
  await writer.flush();
  assertEquals(text, "one\ntwo\nthree\n");
});

Deno.test("a stream that takes nothing costs bounded memory, and is told what it missed", async () => {
  let text = "";
  const gate = Promise.withResolvers<void>();
  const writer = new LineWriter({
    async write(bytes) {
      await gate.promise;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  });
  for (let i = 0; i < 100_000; i++) writer.write("x".repeat(99));
  gate.resolve();
  await writer.flush();
  assert(text.length < 3_000_000);
  assertMatch(text, /… \d+ lines dropped/);
});

Deno.test("a reader that has gone is no fault of the writer", async () => {
  const writer = new LineWriter({ write: () => Promise.reject(new Deno.errors.BrokenPipe()) });
  writer.write("nobody hears this");
  await writer.flush();
});
