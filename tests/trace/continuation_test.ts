/** Segments after a connection was shown, live and from a pipe. */
import { assertEquals, assertMatch } from "@std/assert";
import { TRACE_OPTIONS, type TraceOptions } from "../../src/config/trace_config.ts";
import { trace } from "../../src/trace.ts";
import { datagram, pcapFile } from "./wire.ts";

const CLIENT = { source: [192, 0, 2, 1], destination: [192, 0, 2, 2] };
const SERVER = {
  source: [192, 0, 2, 2],
  destination: [192, 0, 2, 1],
  sourcePort: 80,
  destinationPort: 40_000,
};
const START = 1_700_000_000;

const CONNECTION = [
  datagram({ ...CLIENT, flags: "S", seq: 100 }),
  datagram({ ...SERVER, flags: "SA", seq: 300, ack: 101 }),
  datagram({ ...CLIENT, flags: "A", seq: 101, ack: 301 }),
  datagram({ ...CLIENT, flags: "FA", seq: 101, ack: 301 }),
  datagram({ ...SERVER, flags: "FA", seq: 301, ack: 102 }),
  datagram({ ...CLIENT, flags: "A", seq: 102, ack: 302 }),
];
const LATE = datagram({ ...SERVER, flags: "R", seq: 302 });

const SYN = datagram({ ...CLIENT, flags: "S", seq: 100 });

/**
 * Splits a capture into chunks: the file header with the first packets, then one packet each, 10 µs
 * apart.
 */
function chunksOf(packets: readonly Uint8Array[], first: number, pause = 0): Uint8Array[] {
  const records = packets.map((bytes, index) => ({
    bytes,
    seconds: START + (index < first ? 0 : pause),
    fraction: index * 10,
  }));
  const file = pcapFile(records);
  const sizes = records.map(({ bytes }) => 16 + bytes.length);
  const chunks: Uint8Array[] = [];
  let at = 24 + sizes.slice(0, first).reduce((sum, size) => sum + size, 0);
  chunks.push(file.subarray(0, at));
  for (const size of sizes.slice(first)) chunks.push(file.subarray(at, at += size));
  return chunks;
}

async function shown(
  chunks: readonly Uint8Array[],
  more: Partial<TraceOptions>,
  isLive: boolean,
): Promise<string> {
  const defaults = Object.fromEntries(
    Object.entries(TRACE_OPTIONS).map(([name, option]) => [name, option.default]),
  ) as unknown as TraceOptions;
  let text = "";
  await trace({ ...defaults, host: [], port: [], ...more }, {
    chunks: (async function* () {
      yield* chunks;
    })(),
    filter: { hosts: [], ports: [] },
    isLive,
    color: false,
    write: (part) => {
      text += part;
      return Promise.resolve();
    },
    log: () => {},
  });
  return text;
}

Deno.test("Live, segments after the end are shown as a continuation with the new verdict", async () => {
  const text = await shown(chunksOf([...CONNECTION, LATE], 6), {}, true);
  const [first, second] = text.split(/\n\n/).filter((part) => part.includes("│"));
  assertMatch(first!, /closed by the client after 50 µs\.$/);
  assertMatch(second!, /^2023-11-14T22:13:20\.000000Z \(continued\)\n/);
  assertEquals(second!.match(/│.*│/g)?.length, 1);
  assertMatch(second!, /◀─+ RST seq=302 ─│ CLOSED/);
  assertMatch(second!, /a reset by the server\s+then ended TIME_WAIT \(RFC 1337\)/);
});

Deno.test("From a file, segments after the end are part of the same ladder", async () => {
  const text = await shown(chunksOf([...CONNECTION, LATE], 6), {}, false);
  assertEquals(text.match(/│.*│/g)?.length, 7);
  assertEquals(text.match(/SYN seq=100/g)?.length, 1);
});

Deno.test("In JSON, a continued connection is printed again and marked", async () => {
  const text = await shown(chunksOf([...CONNECTION, LATE], 6), { json: true }, true);
  const records = text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(records.map(({ continued, late }) => ({ continued, late })), [
    { continued: false, late: 0 },
    { continued: true, late: 1 },
  ]);
});

Deno.test("A SYN after an attempt was reported unanswered continues that attempt", async () => {
  // The capture is years old, so the SYN is overdue at once.
  const text = await shown(chunksOf([SYN, ...CONNECTION], 1, 9), {}, true);
  assertMatch(text, /No answer: the SYN was sent once\.\n/);
  assertMatch(
    text,
    /\(continued\)\n[^]*↻ SYN seq=100[^]*Established in 9\.000 s \(SYN sent 2 times\)/,
  );
});
