import { assertEquals, assertMatch } from "@std/assert";
import type { OutletEvent } from "../../src/events/events.ts";
import { jsonLine, levelOf, textLine } from "../../src/telemetry/log_line.ts";

const AT = new Date("2026-11-22T20:15:03.123Z");
const CLOSED: OutletEvent = {
  event: "closed",
  outlet: "echo",
  address: { hostname: "127.0.0.1", port: 7007 },
  connection: 3,
  peer: { hostname: "::1", port: 50000 },
  bytesIn: 10,
  bytesOut: 20,
  duration: 12.3456,
  reason: "peer closed",
};

Deno.test("a JSON line carries every field by its documented name", () => {
  assertEquals(JSON.parse(jsonLine(CLOSED, AT)), {
    time: "2026-11-22T20:15:03.123Z",
    level: "info",
    event: "closed",
    outlet: "echo",
    address: "127.0.0.1:7007",
    connection: 3,
    peer: "[::1]:50000",
    bytes_in: 10,
    bytes_out: 20,
    duration_ms: 12.346,
    reason: "peer closed",
  });
});

Deno.test("a reason with line breaks and escapes stays on one harmless line, in either form", () => {
  const event = { ...CLOSED, reason: "error: \u001b[31m\n{}\u2028x" };
  for (const line of [jsonLine(event, AT), textLine(event, { at: AT, colour: false })]) {
    // deno-lint-ignore no-control-regex
    assertEquals(/[\u0000-\u001f\u2028]/.test(line), false);
  }
});

Deno.test("a line for people tells who came from where, and how it ended", () => {
  const line = textLine(CLOSED, { at: AT, colour: false });
  assertMatch(
    line,
    /^\d\d:\d\d:\d\d closed {4}echo #3 from \[::1\]:50000: peer closed, 10 B in, 20 B out, 12\.3 ms$/,
  );
});

Deno.test("what went wrong is more serious than what went as it should", () => {
  assertEquals(levelOf(CLOSED), "info");
  assertEquals(levelOf({ ...CLOSED, reason: "error: no" }), "warning");
});
