import { assert, assertEquals } from "@std/assert";
import { HandshakeTimes } from "../../src/trace/report/round_trips.ts";
import { Summary } from "../../src/trace/report/summary.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import { segmentOf } from "./play.ts";

const FACTS = {
  packets: 1234,
  segments: 1200,
  filtered: 4,
  withoutTcp: new Map([["UDP", 29]]),
  undecodable: new Map([["of link type 7 (ARCNET)", 2]]),
  duplicates: 0,
  strayIcmpErrors: 3,
  expired: 7,
  evicted: 1,
};

Deno.test("Percentiles are accurate to two per cent, from microseconds to minutes", () => {
  const trips = new HandshakeTimes();
  for (let i = 1; i <= 10_000; i += 1) trips.add(i / 10);
  for (const [percent, expected] of [[50, 500], [90, 900], [99, 990], [100, 1000]] as const) {
    const found = trips.percentile(percent);
    assert(Math.abs(found - expected) / expected < 0.02, `${percent}: ${found}`);
  }
  assertEquals(new HandshakeTimes().percentile(50), 0);
});

Deno.test("The histogram has one line per doubling, and its counts add up", () => {
  const trips = new HandshakeTimes();
  for (const time of [0.01, 0.02, 0.02, 5]) trips.add(time);
  const counts = trips.renderHistogram().map((line) => Number(line.split(" ").at(-1)));
  assertEquals(counts.reduce((sum, count) => sum + count), 4);
  assertEquals(counts.length, 10);
  assertEquals(new HandshakeTimes().renderHistogram(), []);
});

Deno.test("A summary lists outcomes, success rate, failed destinations and evictions", () => {
  const summary = new Summary();
  const tracker = new Tracker({ onFlow: (flow) => summary.add(flow) });
  function see(port: number, server: number, ...lines: string[]): void {
    const stage = { client: [1, port], server: [server, 80] } as const;
    for (const line of lines) tracker.track(segmentOf(line, stage), "tcp");
  }
  for (const port of [1, 2, 3]) {
    see(port, 2, "> S seq=9 at=0", "< SA seq=7 ack=10 at=1", "> A seq=10 ack=8 at=2");
  }
  for (const port of [4, 5]) see(port, 2, "> S seq=9", "< RA ack=10");
  see(6, 3, "> S seq=9 at=0", "> S seq=9 at=1000");
  see(7, 2, "> PA seq=500 ack=1 len=5", "> PA seq=500 ack=1 len=5");
  tracker.finish();
  const text = summary.render(FACTS);
  for (
    const expected of [
      "packets        1,234\n               without TCP, UDP: 29\n",
      "               not decoded, of link type 7 (ARCNET): 2\n",
      "               of other hosts or ports: 4\n",
      "               ICMP errors about segments not captured: 3\n",
      "established: 3",
      "began before the capture: 1",
      "success        50.00 % (3 of 6 attempts)",
      "longest 2.00 ms",
      "retransmitted  16.67 % (2 of 12 segments)",
      "refused by             2  0.0.0.2:80",
      "unanswered by          1  0.0.0.3:80",
      "evicted        7 finished and 1 open connections",
    ]
  ) {
    assert(text.includes(expected), `${expected}\n${text}`);
  }
  assert(text.split("\n").every((line) => line.length <= 80));
});

Deno.test("A summary of many destinations is bounded", () => {
  const summary = new Summary();
  const tracker = new Tracker({ onFlow: (flow) => summary.add(flow) });
  for (let server = 1; server <= 3000; server += 1) {
    tracker.track(segmentOf("> S seq=1", { server: [server, 80] }), "tcp");
  }
  tracker.finish();
  const text = summary.render(FACTS);
  assert(text.includes("2,000  other destinations") && text.includes("at 991 others"), text);
});
