import { assertEquals, assertMatch } from "@std/assert";
import type { AboutOutlet, OutletEvent } from "../../src/events/events.ts";
import { jsonLine } from "../../src/telemetry/json_line.ts";
import { levelOf } from "../../src/telemetry/log_level.ts";
import { droppedLine, textLine } from "../../src/telemetry/text_line.ts";

const AT = new Date("2026-11-22T20:15:03.123Z");
const CLIENT = { hostname: "127.0.0.1", port: 50001 };

const CLOSED: OutletEvent = {
  event: "closed",
  id: 1,
  outlet: "echo",
  address: { hostname: "127.0.0.1", port: 7007 },
  connection: 3,
  peer: { hostname: "::1", port: 50000 },
  bytesIn: 10,
  bytesOut: 20,
  duration: 12.3456,
  reason: "peer closed",
};

Deno.test("a JSON line has every field by its documented name", () => {
  assertEquals(JSON.parse(jsonLine(CLOSED, AT)), {
    time: "2026-11-22T20:15:03.123Z",
    level: "info",
    event: "closed",
    outlet: "echo",
    outlet_id: 1,
    address: "127.0.0.1:7007",
    connection: 3,
    peer: "[::1]:50000",
    bytes_in: 10,
    bytes_out: 20,
    duration_ms: 12.346,
    reason: "peer closed",
  });
});

Deno.test("line breaks and escapes in a reason are escaped, in both formats", () => {
  const event = { ...CLOSED, reason: "error: \u001b[31m\n{}\u2028x" };
  for (const line of [jsonLine(event, AT), textLine(event, { at: AT, colour: false })]) {
    // deno-lint-ignore no-control-regex
    assertEquals(/[\u0000-\u001f\u2028]/.test(line), false);
  }
});

Deno.test("a text line has outlet, client and end reason", () => {
  const line = textLine(CLOSED, { at: AT, colour: false });
  assertMatch(
    line,
    /^\d\d:\d\d:\d\d closed {4}echo:7007 #3 from \[::1\]:50000: peer closed, 10 B in, 20 B out, 12\.3 ms$/,
  );
});

Deno.test("an error has a higher level than an orderly end", () => {
  assertEquals(levelOf(CLOSED), "info");
  assertEquals(levelOf({ ...CLOSED, reason: "error: no" }), "warning");
});

Deno.test("nouns agree with numbers: one connection, two connections", () => {
  const { outlet, address } = CLOSED as OutletEvent & AboutOutlet;
  const stopped = (count: number) =>
    textLine({ event: "stopped", id: 1, outlet, address, aborted: count }, { at: AT });
  assertMatch(stopped(1), /, 1 connection aborted$/);
  assertMatch(stopped(2), /, 2 connections aborted$/);
  assertMatch(stopped(0), /stopped {3}echo on 127\.0\.0\.1:7007$/);
});

Deno.test("two outlets of one service are distinguished in every line", () => {
  const lines = [7007, 7008].flatMap((port) => {
    const about = {
      id: port,
      outlet: "echo",
      address: { hostname: "127.0.0.1", port },
      peer: CLIENT,
    };
    const events: OutletEvent[] = [
      { event: "listening", ...about },
      { event: "opened", ...about, connection: 1, local: about.address },
      { event: "refused", ...about, reason: "connection limit reached" },
      { event: "service-output", ...about, connection: 1, text: "words" },
      { ...CLOSED, ...about },
      { event: "failed", ...about, reason: "no descriptor" },
      { event: "recovered", ...about, text: "the upstream is up" },
      { event: "stopped", ...about, aborted: 0 },
    ];
    return events.map((event) => textLine(event, { at: AT }).replace(/^\S+ /, ""));
  });
  assertEquals(new Set(lines).size, lines.length);
});

Deno.test("in a file, a text line has date and UTC offset as in RFC 3339", () => {
  const line = textLine(CLOSED, { at: AT, date: true });
  const [, time] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d) closed/.exec(line) ?? [];
  assertEquals(new Date(time!).toISOString(), AT.toISOString());
});

Deno.test("dropped lines are reported in the log's own format", () => {
  assertMatch(
    droppedLine(1, { at: AT, format: "text" }),
    /^\S+ lines {5}dropped 1, which were not accepted in time$/,
  );
  assertEquals(JSON.parse(droppedLine(5, { at: AT, format: "json" })), {
    time: "2026-11-22T20:15:03.123Z",
    level: "warning",
    event: "lines-dropped",
    lines: 5,
  });
});

Deno.test("an unexpected error is logged with its stack on one line, at the highest level", () => {
  const event: OutletEvent = {
    event: "unexpected-error",
    stack: ["TypeError: x", "at f (a.ts:1)"],
  };
  assertEquals(levelOf(event), "error");
  assertMatch(
    textLine(event, { at: AT }),
    / unexpected error: please report it: TypeError: x at f \(a\.ts:1\)$/,
  );
});
