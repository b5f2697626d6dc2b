/** A verdict depends on its own flow alone, and no packet is lost between ladders and counts. */
import { assert, assertEquals } from "@std/assert";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import type { Packet } from "../../src/trace/decode/packet.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import type { Flow } from "../../src/trace/track/flow.ts";
import { ladderOf } from "../../src/trace/report/ladder.ts";
import { renderLadder } from "../../src/trace/report/ladder_text.ts";
import { recordOf } from "../../src/trace/report/record.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import { segmentOf } from "./play.ts";
import { bytesOf, CAPTURES, read, shownIn } from "./read_capture.ts";
import { type Random, seeded } from "./simulator.ts";

/** The packets of a capture one by one, at addresses of its own. */
class Source {
  readonly #packets: Iterator<Packet>;
  readonly #decoder = new Decoder();
  readonly #segment = new Segment();
  readonly #host: number;
  isOver = false;

  constructor(name: string, host: number) {
    this.#packets = new CaptureReader().read(bytesOf(name));
    this.#host = host;
  }

  /** Passes the next packet to the tracker. */
  step(tracker: Tracker): void {
    const { done, value: packet } = this.#packets.next();
    if (done) {
      this.isOver = true;
      return;
    }
    const segment = this.#segment;
    const decoded = this.#decoder.decode(packet, segment);
    if (decoded === "undecoded") return;
    const { addresses } = segment;
    for (const word of [3, 7]) addresses[word] = addresses[word]! ^ (this.#host << 8);
    tracker.track(segment, decoded);
  }
}

/** What is told of each flow, by its ends and its place among those between them. */
function told(flows: readonly Flow[]): Map<string, string> {
  const all = new Map<string, string>();
  for (const flow of flows.toSorted((a, b) => a.number - b.number)) {
    const { client, server } = recordOf(flow);
    let key = `${client.address} ${server.address}`;
    while (all.has(key)) key += "'";
    all.set(key, JSON.stringify(recordOf(flow)) + renderLadder(ladderOf(flow)));
  }
  return all;
}

/** Passes captures to one tracker in an order that hangs on chance. */
function interleave(names: readonly string[], random: Random): Map<string, string> {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  let sources = names.map((name, index) => new Source(name, index + 1));
  while (sources.length > 0) {
    const source = sources[Math.floor(random() * sources.length)]!;
    const run = 1 + Math.floor(random() * 5);
    for (let step = 0; step < run && !source.isOver; step += 1) source.step(tracker);
    sources = sources.filter(({ isOver }) => !isOver);
  }
  tracker.finish();
  return told(flows);
}

/** What is told of a capture's flows when nothing else is seen. */
function alone(name: string, host: number): Map<string, string> {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const source = new Source(name, host);
  while (!source.isOver) source.step(tracker);
  tracker.finish();
  return told(flows);
}

Deno.test("Any interleaving of two captures tells of each flow what is told of it alone", () => {
  assert(CAPTURES.length > 10);
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const pick = () => CAPTURES[Math.floor(random() * CAPTURES.length)]!;
    const names = [pick(), pick()];
    const together = interleave(names, random);
    const apart = new Map(names.flatMap((name, index) => [...alone(name, index + 1)]));
    assertEquals(together, apart, `seed ${seed}: ${names.join(" and ")}`);
  }
});

Deno.test("However much else is captured, a flow that waits for its answer is told the same of", () => {
  const expected = [...alone("patience", 1)];
  for (const others of [10, 1000, 5000]) {
    const flows: Flow[] = [];
    const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
    const source = new Source("patience", 1);
    source.step(tracker);
    for (let port = 1; port <= others; port += 1) {
      const client = [77, port % 60_000 + 1] as const;
      // Days later, and from hosts of which nothing was seen.
      tracker.track(segmentOf(`> PA seq=5 ack=7 len=3 at=${port * 100_000}`, { client }), "tcp");
    }
    while (!source.isOver) source.step(tracker);
    tracker.finish();
    const seen = told(flows.filter(({ client }) => client.address[3] !== 77));
    assertEquals([...seen], expected);
  }
});

function randomLine(random: Random): string {
  const near = () => 100 + Math.floor(random() * 8);
  const far = () => Math.floor(random() * 2 ** 32);
  const number = () => random() < 0.9 ? near() : far();
  const flags = ["S", "S", "SA", "A", "PA", "FA", "R", "RA", "-", "SF", "FPA", "SR"];
  const letters = flags[Math.floor(random() * flags.length)];
  const length = random() < 0.4 ? Math.floor(random() * 6) : 0;
  const at = Math.floor(random() * 100_000);
  const id = Math.floor(random() * 30);
  return `${random() < 0.5 ? ">" : "<"} ${letters} seq=${number()} ack=${number()} len=${length} ` +
    `at=${at} id=${id}`;
}

Deno.test("Whatever comes, each packet is in one ladder or one count, and no time is negative", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const flows: Flow[] = [];
    const tracker = new Tracker({
      keepSegments: true,
      limit: 3,
      onFlow: (flow) => flows.push(flow),
    });
    const packets = 150;
    for (let packet = 0; packet < packets; packet += 1) {
      const stage = { client: [1, 1 + Math.floor(random() * 5)], device: Math.floor(random() * 3) };
      const segment = segmentOf(randomLine(random), { ...stage, client: [1, stage.client[1]!] });
      tracker.track(segment, random() < 0.95 ? "tcp" : "icmp");
    }
    tracker.finish();
    const shown = flows.reduce((sum, flow) => sum + shownIn(flow), 0);
    assertEquals(shown + tracker.duplicates + tracker.strayIcmpErrors, packets, `seed ${seed}`);
    for (const flow of flows) assertSound(flow, seed);
  }
});

/** No duration is negative, and no byte counts twice. */
function assertSound(flow: Flow, seed: number): void {
  const { durationMs, answeredMs, establishedMs } = recordOf(flow);
  for (const time of [durationMs, answeredMs ?? 0, establishedMs ?? 0]) {
    assert(time >= 0, `seed ${seed}: ${time}`);
  }
  const text = renderLadder(ladderOf(flow));
  assert(!text.includes("earlier") && !text.includes("NaN"), `seed ${seed}\n${text}`);
  for (
    const { bytes, firstSeq, nextSeq, hasNextSeq } of [
      flow.client,
      flow.server,
    ]
  ) {
    const span = hasNextSeq ? (nextSeq - firstSeq) >>> 0 : 0;
    assert(bytes >= 0 && bytes <= span + 1, `seed ${seed}: ${bytes} of ${span}\n${text}`);
  }
}

/** Segments of 1 to 9 bytes over 200 bytes, each byte at least once, in any order. */
function shuffled(random: Random): { seq: number; length: number }[] {
  const segments: { seq: number; length: number; order: number }[] = [];
  for (let seq = 101; seq < 301;) {
    const length = Math.min(1 + Math.floor(random() * 9), 301 - seq);
    const copies = random() < 0.2 ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      segments.push({ seq, length, order: seq + random() * 40 });
    }
    seq += length;
  }
  return segments.toSorted((a, b) => a.order - b.order);
}

Deno.test("In whatever order data comes, each byte counts once", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const flows: Flow[] = [];
    const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
    for (const line of ["> S seq=100", "< SA seq=900 ack=101", "> A seq=101 ack=901"]) {
      tracker.track(segmentOf(line), "tcp");
    }
    for (const { seq, length } of shuffled(seeded(seed))) {
      tracker.track(segmentOf(`> PA seq=${seq} ack=901 len=${length}`), "tcp");
    }
    tracker.finish();
    assertEquals(flows[0]!.client.bytes, 200, `seed ${seed}`);
    assertEquals(flows[0]!.client.gaps, undefined);
  }
});

Deno.test("The order of interfaces changes nothing: each sees the same segments", () => {
  const lines = [
    "> S seq=100 id=1 at=0",
    "< SA seq=900 ack=101 id=2 at=1",
    "> A seq=101 ack=901 id=3 at=2",
    "> PA seq=101 ack=901 len=5 id=4 at=3",
    "< A seq=901 ack=106 id=5 at=4",
  ];
  function playOn(devices: readonly number[], isBlockwise: boolean): string {
    const flows: Flow[] = [];
    const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
    const all = isBlockwise
      ? devices.flatMap((device) => lines.slice(0, 3).map((line) => ({ line, device })))
        .concat(devices.flatMap((device) => lines.slice(3).map((line) => ({ line, device }))))
      : lines.flatMap((line) => devices.map((device) => ({ line, device })));
    for (const { line, device } of all) tracker.track(segmentOf(line, { device }), "tcp");
    tracker.finish();
    assertEquals([flows.length, tracker.duplicates], [1, lines.length]);
    return renderLadder(ladderOf(flows[0]!));
  }
  const expected = playOn([2, 5], false);
  assertEquals(playOn([5, 2], false), expected);
  assertEquals(playOn([2, 5], true), expected);
  assertEquals(playOn([5, 2], true), expected);
});

Deno.test("A capture's flows do not depend on how long the capture is", () => {
  // What follows the last segment of a flow's own is nothing to it.
  const whole = told(read("iot").flows);
  const [first] = [...whole];
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const source = new Source("iot", 0);
  for (let packet = 0; packet < 10; packet += 1) source.step(tracker);
  tracker.finish();
  assertEquals([...told(flows)], [first]);
});
