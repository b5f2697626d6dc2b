import { assert, assertEquals, assertMatch } from "@std/assert";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { BoundedWriter } from "../../src/terminal/bounded_writer.ts";
import { droppedBy } from "../../src/terminal/drop_counts.ts";

Deno.test("lines are written in order, even if the stream accepts few bytes at a time", async () => {
  let text = "";
  const writer = new BoundedWriter({
    write(bytes) {
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      return Promise.resolve(Math.min(3, bytes.length));
    },
  });
  writer.writeLine("one");
  writer.writeLine("two");
  await writer.flush();
  writer.writeLine("three");
  await writer.flush();
  assertEquals(text, "one\ntwo\nthree\n");
});

Deno.test("a stuck stream costs bounded memory, and dropped lines are reported", async () => {
  let text = "";
  const writable = Promise.withResolvers<void>();
  const writer = new BoundedWriter({
    async write(bytes) {
      await writable.promise;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  });
  for (let i = 0; i < 100_000; i++) writer.writeLine("x".repeat(99));
  writable.resolve();
  await writer.flush();
  assert(text.length < 3_000_000);
  const [, reported] = /… (\d+) lines dropped/.exec(text) ?? [];
  const taken = text.match(/x{99}\n/g)?.length ?? 0;
  assertEquals(taken + Number(reported), 100_000);
  assertEquals(writer.dropped, Number(reported));
});

Deno.test("flush does not wait forever for a stuck stream", async () => {
  const writable = Promise.withResolvers<number>();
  const writer = new BoundedWriter({ write: () => writable.promise });
  writer.writeLine("nobody takes this");
  assertEquals([await writer.flush({ within: 1 }), writer.isIdle], [false, false]);
  writable.resolve(18);
  assertEquals([await writer.flush(), writer.isIdle], [true, true]);
});

Deno.test("a closed stream causes no error", async () => {
  const writer = new BoundedWriter({ write: () => Promise.reject(new Deno.errors.BrokenPipe()) });
  writer.writeLine("nobody hears this");
  await writer.flush();
  assertEquals(writer.dropped, 1);
});

Deno.test("a full disk is reported once, a partial line is ended, and dropped lines are counted", async () => {
  let text = "";
  let room = 8;
  const faults: unknown[] = [];
  const writer = new BoundedWriter({
    write(bytes) {
      if (room === 0) return Promise.reject(new Error("ENOSPC"));
      const part = bytes.subarray(0, room);
      room -= part.length;
      text += new TextDecoder().decode(part);
      return Promise.resolve(part.length);
    },
  }, { onFault: (error) => faults.push(error) });
  for (const line of ["whole", "torn", "lost"]) {
    writer.writeLine(line);
    await writer.flush();
  }
  assertEquals(text, "whole\nto");
  room = 1_000;
  writer.writeLine("again");
  await writer.flush();
  assertMatch(text, /^whole\nto\nagain\n… 2 lines dropped\n$/);
  assertEquals(faults.length, 1);
});

Deno.test("lines dropped by a log sink are counted in a metric, whether it is too slow or fails", async () => {
  const before = droppedBy("file");
  const writable = Promise.withResolvers<number>();
  const slow = new BoundedWriter({ write: () => writable.promise }, {
    limit: 10,
    countedAs: "file",
  });
  for (let i = 0; i < 5; i++) slow.writeLine("0123456789");
  writable.resolve(11);
  await slow.flush();
  const failing = new BoundedWriter(
    { write: () => Promise.reject(new Error("no space left on device")) },
    { countedAs: "file" },
  );
  failing.writeLine("lost");
  await failing.flush();
  using metrics = new Metrics(new EventBus());
  const count = before + slow.dropped + failing.dropped;
  assert(slow.dropped > 0 && failing.dropped === 1);
  const line = `outlet_log_lines_dropped_total{sink="file"} ${count}`;
  assertEquals((await metrics.text()).split("\n").filter((each) => each === line), [line]);
});
