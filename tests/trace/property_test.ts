import { assert, assertEquals } from "@std/assert";
import { CaptureError } from "../../src/trace/decode/packet.ts";
import type { Flow } from "../../src/trace/track/flow.ts";
import { CapturePipeline } from "../../src/trace/track/capture_pipeline.ts";
import { ladderOf } from "../../src/trace/report/ladder.ts";
import { renderLadders } from "../../src/trace/report/ladder_svg.ts";
import { renderLadder } from "../../src/trace/report/ladder_text.ts";
import { recordOf } from "../../src/trace/report/record.ts";
import { Summary } from "../../src/trace/report/summary.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import { segmentOf } from "./play.ts";
import { type Random, seeded, simulateConnection, type SimulatedSegment } from "./simulator.ts";
import { cooked2, datagram, ethernet, icmpError, pcapFile, pcapngFile } from "./wire.ts";

function formatSegment({ fromClient, flags, seq, ack, length }: SimulatedSegment): string {
  return `${fromClient ? ">" : "<"} ${flags} seq=${seq} ack=${ack} len=${length}`;
}

Deno.test("After any valid connection, tracked states and bytes are those of both ends", () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seeded(seed);
    const flows: Flow[] = [];
    const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
    const { client, server } = simulateConnection(random, {
      loss: random() * 0.4,
      steps: Math.floor(random() * 60),
      see: (segment) => tracker.track(segmentOf(formatSegment(segment)), "tcp"),
    });
    tracker.finish();
    const [flow] = flows;
    assertEquals(flows.length, 1, `seed ${seed}`);
    assertEquals([flow!.client.isn, flow!.server.isn], [client.isn, server.isn], `seed ${seed}`);
    assertEquals([flow!.client.bytes, flow!.server.bytes], [client.bytes, server.bytes]);
    // After two ACKs were lost behind the capture point, the capture cannot show that the third was
    // not.
    const isUndecided = flow!.synAckRetransmits > 1 && !flow!.server.hasSentData;
    const serverState = isUndecided ? "SYN_RECV" : server.state;
    assertEquals(
      [flow!.client.state, flow!.server.state],
      [client.state, serverState],
      `seed ${seed}`,
    );
  }
});

/** Order of the states. An end does not go back, except a server that did not receive the ACK. */
const PROGRESS = [
  ["UNKNOWN"],
  ["SYN_SENT"],
  ["SYN_RECV"],
  ["ESTABLISHED"],
  ["FIN_WAIT1", "CLOSE_WAIT"],
  ["FIN_WAIT2", "CLOSING", "LAST_ACK"],
  ["TIME_WAIT"],
  ["CLOSED"],
];

function progress(state: string): number {
  return PROGRESS.findIndex((states) => states.includes(state));
}

function randomLine(random: Random): string {
  const near = () => 100 + Math.floor(random() * 8);
  const far = () => Math.floor(random() * 2 ** 32);
  const number = () => random() < 0.9 ? near() : far();
  const flags = ["S", "SA", "A", "PA", "FA", "R", "RA", "-", "SF", "FPA", "SR"];
  const letters = flags[Math.floor(random() * flags.length)];
  const length = random() < 0.3 ? Math.floor(random() * 4) : 0;
  return `${random() < 0.5 ? ">" : "<"} ${letters} seq=${number()} ack=${number()} len=${length}`;
}

Deno.test("In any order of segments, states do not go back and every flow is reported once", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const flows = new Set<Flow>();
    const tracker = new Tracker({
      keepSegments: true,
      limit: 4,
      onFlow(flow) {
        assert(!flows.has(flow), `seed ${seed}: told of twice`);
        flows.add(flow);
      },
    });
    for (let step = 0; step < 200; step += 1) {
      tracker.track(
        segmentOf(randomLine(random), { client: [1, 1 + Math.floor(random() * 6)] }),
        random() < 0.97 ? "tcp" : "icmp",
      );
      assert([...tracker.flows()].length <= 4);
    }
    tracker.finish();
    assertEquals(flows.size, tracker.flowCount, `seed ${seed}`);
    for (const flow of flows) assertGoesForward(flow, seed);
  }
});

function assertGoesForward(flow: Flow, seed: number): void {
  let before = { client: "UNKNOWN", server: "UNKNOWN" };
  for (const { client, server } of flow.history!.entries) {
    for (const [from, to] of [[before.client, client], [before.server, server]] as const) {
      const isUnheeded = from === "ESTABLISHED" && to === "SYN_RECV";
      const isRevived = flow.hasIgnoredReset && from === "CLOSED";
      assert(
        progress(to) >= progress(from) || isUnheeded || isRevived,
        `seed ${seed}: ${from} to ${to}`,
      );
    }
    before = { client, server };
  }
}

function sampleFiles(): Uint8Array[] {
  const datagrams = [
    datagram({ flags: "S", seq: 1, options: [2, 4, 5, 180, 3, 3, 7, 0] }),
    icmpError({ type: 3, code: 3, quoted: datagram({ seq: 1 }), reporter: [10, 0, 0, 1] }),
    datagram({ flags: "PA", seq: 2, ack: 9, payload: 40 }),
  ];
  return [
    pcapFile(datagrams.map((ip) => ({ bytes: ethernet(ip, [5]) })), { link: 1 }),
    pcapFile(datagrams.map((ip) => ({ bytes: cooked2(ip) })), { link: 276, littleEndian: false }),
    pcapngFile(datagrams.map((bytes) => ({ bytes })), { link: 101 }),
    pcapngFile(datagrams.map((bytes) => ({ bytes })), { link: 101, nanoseconds: true }),
  ];
}

function showAll(file: Uint8Array): void {
  const summary = new Summary();
  const tracker = new Tracker({
    keepSegments: true,
    onFlow(flow) {
      summary.add(flow);
      JSON.stringify(recordOf(flow));
      for (const line of renderLadder(ladderOf(flow, { isRelative: true })).split("\n")) {
        assert(line.length <= 80, line);
      }
      renderLadders([ladderOf(flow)]);
    },
  });
  const pipeline = new CapturePipeline(tracker);
  try {
    for (let at = 0; at < file.length; at += 97) pipeline.feed(file.subarray(at, at + 97));
    pipeline.reader.finish();
  } catch (error) {
    assert(error instanceof CaptureError, String(error));
  }
  tracker.finish();
  summary.render(pipeline.counters);
}

Deno.test("A randomly modified capture is shown or refused without a crash", () => {
  const files = sampleFiles();
  for (let seed = 1; seed <= 3000; seed += 1) {
    const random = seeded(seed);
    const file = files[seed % files.length]!.slice();
    const changes = 1 + Math.floor(random() * 6);
    for (let change = 0; change < changes; change += 1) {
      const value = random() < 0.5 ? 255 : Math.floor(random() * 256);
      file[Math.floor(random() * file.length)] = value;
    }
    showAll(random() < 0.2 ? file.subarray(0, Math.floor(random() * file.length)) : file);
  }
});

Deno.test("Random data after a valid header is shown or refused without a crash", () => {
  const headers = sampleFiles().map((file) => file.subarray(0, 72));
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seeded(seed);
    const garbage = Uint8Array.from({ length: 2000 }, () => Math.floor(random() * 256));
    garbage.set(headers[seed % headers.length]!);
    showAll(garbage);
  }
});
