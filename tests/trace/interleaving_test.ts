/** The result for a flow depends on its own segments only, and every packet is shown or counted. */
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
import { bytesOf, CAPTURES, read, shownCount } from "./read_capture.ts";
import { type Random, seeded } from "./simulator.ts";

/** The packets of a capture, with rewritten addresses. */
class PacketSource {
  readonly #packets: Iterator<Packet>;
  readonly #decoder = new Decoder();
  readonly #segment = new Segment();
  readonly #host: number;
  isDone = false;

  constructor(name: string, host: number) {
    this.#packets = new CaptureReader().read(bytesOf(name));
    this.#host = host;
  }

  /** Passes the next packet to the tracker. */
  step(tracker: Tracker): void {
    const { done, value: packet } = this.#packets.next();
    if (done) {
      this.isDone = true;
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

/** The output for each flow, by its endpoints and position among flows with the same ones. */
function resultsOf(flows: readonly Flow[]): Map<string, string> {
  const all = new Map<string, string>();
  for (const flow of flows.toSorted((a, b) => a.number - b.number)) {
    const { client, server } = recordOf(flow);
    let key = `${client.address} ${server.address}`;
    while (all.has(key)) key += "'";
    all.set(key, JSON.stringify(recordOf(flow)) + renderLadder(ladderOf(flow)));
  }
  return all;
}

/** Passes captures to one tracker, randomly interleaved. */
function interleave(names: readonly string[], random: Random): Map<string, string> {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  let sources = names.map((name, index) => new PacketSource(name, index + 1));
  while (sources.length > 0) {
    const source = sources[Math.floor(random() * sources.length)]!;
    const run = 1 + Math.floor(random() * 5);
    for (let step = 0; step < run && !source.isDone; step += 1) source.step(tracker);
    sources = sources.filter(({ isDone }) => !isDone);
  }
  tracker.finish();
  return resultsOf(flows);
}

/** The output for a capture on its own. */
function resultsAlone(name: string, host: number): Map<string, string> {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const source = new PacketSource(name, host);
  while (!source.isDone) source.step(tracker);
  tracker.finish();
  return resultsOf(flows);
}

Deno.test("The result for a flow does not depend on interleaving with another capture", () => {
  assert(CAPTURES.length > 10);
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const pick = () => CAPTURES[Math.floor(random() * CAPTURES.length)]!;
    const names = [pick(), pick()];
    const together = interleave(names, random);
    const apart = new Map(names.flatMap((name, index) => [...resultsAlone(name, index + 1)]));
    assertEquals(together, apart, `seed ${seed}: ${names.join(" and ")}`);
  }
});

Deno.test("The result for a waiting flow does not depend on other packets", () => {
  const expected = [...resultsAlone("patience", 1)];
  for (const others of [10, 1000, 5000]) {
    const flows: Flow[] = [];
    const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
    const source = new PacketSource("patience", 1);
    source.step(tracker);
    for (let port = 1; port <= others; port += 1) {
      const client = [77, port % 60_000 + 1] as const;
      // Days later, from other hosts.
      tracker.track(segmentOf(`> PA seq=5 ack=7 len=3 at=${port * 100_000}`, { client }), "tcp");
    }
    while (!source.isDone) source.step(tracker);
    tracker.finish();
    const seen = resultsOf(flows.filter(({ client }) => client.address[3] !== 77));
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

Deno.test("Each packet of any input is in one ladder or counter, and no time is negative", () => {
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
    const shown = flows.reduce((sum, flow) => sum + shownCount(flow), 0);
    assertEquals(shown + tracker.duplicates + tracker.strayIcmpErrors, packets, `seed ${seed}`);
    for (const flow of flows) assertConsistent(flow, seed);
  }
});

/** Asserts that no duration is negative and no byte counted twice. */
function assertConsistent(flow: Flow, seed: number): void {
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

/** Segments of 1 to 9 bytes that cover 200 bytes, in random order, some twice. */
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

Deno.test("Each byte counts once, in any order", () => {
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

Deno.test("The order of interfaces does not change the result", () => {
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

Deno.test("The result for a flow does not depend on the length of the capture", () => {
  // Later packets do not change the first flow.
  const whole = resultsOf(read("iot").flows);
  const [first] = [...whole];
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const source = new PacketSource("iot", 0);
  for (let packet = 0; packet < 10; packet += 1) source.step(tracker);
  tracker.finish();
  assertEquals([...resultsOf(flows)], [first]);
});
