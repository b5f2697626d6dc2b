/** Parts of the console on their own. */
import { assert, assertEquals } from "@std/assert";
import { inOrder, readFilter, type Row } from "../../src/console/connection_list.ts";
import { EventStream } from "../../src/console/event_stream.ts";
import { RecentEvents } from "../../src/console/recent_events.ts";
import { Transcript } from "../../src/console/transcript.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { noise } from "../harness/bytes.ts";

Deno.test("a transcript keeps the last 64 KiB of each direction, with their offsets", () => {
  const transcript = new Transcript({ bytesIn: 10, bytesOut: 0 });
  const all = noise(100_000);
  for (let at = 0; at < all.length; at += 1000) transcript.received(all.subarray(at, at + 1000));
  transcript.sent(all.subarray(0, 90_000));
  const piecesOf = (direction: string) =>
    transcript.pieces.filter((piece) => piece.direction === direction);
  const size = (direction: string) =>
    piecesOf(direction).reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(size("in") <= 64 * 1024 && size("in") > 56 * 1024);
  assertEquals(size("out"), 64 * 1024);
  for (const { offset, bytes } of piecesOf("in")) {
    assertEquals(bytes, all.slice(offset - 10, offset - 10 + bytes.length));
  }
  const { offset, bytes } = piecesOf("out")[0]!;
  assertEquals(bytes, all.slice(offset, 90_000));
});

Deno.test("a transcript of very many small pieces keeps a bounded number of them", () => {
  const transcript = new Transcript({ bytesIn: 0, bytesOut: 0 });
  for (let i = 0; i < 100_000; i++) {
    transcript.received(new Uint8Array(1));
    transcript.sent(new Uint8Array(1));
  }
  assert(transcript.pieces.length <= 512);
  assert(transcript.take().length > 0);
  assertEquals(transcript.take().length, 0);
});

Deno.test("a filter matches if all of its words do, and #N matches only a number", () => {
  const row = rowOf({ id: 12, outlet: "echo", peer: "127.0.0.1:40012", state: "CLOSE_WAIT" });
  for (const filter of ["", "ECHO", "echo 4001", "close_wait", "#12"]) {
    assert(readFilter(filter)(row));
  }
  for (const filter of ["chat", "echo 9", "#1", "#122"]) assert(!readFilter(filter)(row));
});

Deno.test("rows with equal keys stay in the order of their numbers", () => {
  const rows = [3, 1, 2].map((id) => rowOf({ id, bytesIn: id === 2 ? 5 : 0 }));
  const ids = (descending: boolean) =>
    inOrder(rows, { key: "bytesIn", descending }).map(({ id }) => id);
  assertEquals([ids(false), ids(true)], [[1, 3, 2], [2, 1, 3]]);
});

Deno.test("events that are no longer kept are reported as missed", () => {
  const eventBus = new EventBus();
  using events = new RecentEvents(eventBus);
  for (let i = 0; i < 10_000; i++) eventBus.publish({ event: "reloading" });
  const { entries, missed } = events.since(100);
  assertEquals(missed + entries.length, 9_900);
  assert(entries.length >= 2_000 && entries.length <= 4_000);
  assertEquals(entries.at(-1)!.number, 10_000);
  assertEquals(events.since(9_999).entries.length, 1);
  assertEquals(events.since(10_000), { entries: [], missed: 0 });
});

Deno.test("an event stream releases its resources once, however it ends", async () => {
  for (const end of ["reader", "writer"]) {
    const stream = new EventStream();
    let given = 0;
    stream.use({ [Symbol.dispose]: () => void given++ });
    stream.send({ event: "hello", data: "{}" });
    if (end === "reader") await stream.body.cancel();
    else stream[Symbol.dispose]();
    stream.send({ data: "{}" });
    stream[Symbol.dispose]();
    assertEquals(given, 1);
  }
});

function rowOf(row: Partial<Row>): Row {
  return {
    id: 1,
    outlet: "echo",
    address: "127.0.0.1:7007",
    peer: "127.0.0.1:1",
    local: "127.0.0.1:7007",
    state: undefined,
    age: 0,
    bytesIn: 0,
    bytesOut: 0,
    halfClosed: false,
    ...row,
  };
}
