/** Captures that were once misread, with the correct values. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { notesOf } from "../../src/trace/report/notes.ts";
import { diagnose } from "../../src/trace/report/diagnosis.ts";
import { outcomeOf } from "../../src/trace/report/outcome.ts";
import { ladderOf } from "../../src/trace/report/ladder.ts";
import { renderLadder } from "../../src/trace/report/ladder_text.ts";
import { recordOf } from "../../src/trace/report/record.ts";
import { run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { ACK, SYN } from "../../src/trace/decode/segment.ts";
import { analysesOf, CAPTURES, pathOf, read, shownCount } from "./read_capture.ts";
import { statesOf } from "./play.ts";

function readOne(name: string) {
  const { flows, counters } = read(name);
  assertEquals(flows.length, 1);
  return { flow: flows[0]!, counters };
}

Deno.test("patience: packets of other connections between a SYN and its answer change nothing", () => {
  const [flow, noise] = read("patience").flows;
  assertEquals([outcomeOf(flow!), outcomeOf(noise!)], ["established", "partial"]);
  assertEquals([flow!.client.syns, flow!.client.isn, flow!.server.isn], [2, 100, 900]);
  const { establishedMs, client } = recordOf(flow!);
  assertEquals(Math.round(establishedMs! - client.backoffMs[0]!), 30);
  assertEquals(shownCount(noise!), 3);
});

Deno.test("twa: all nine segments are shown, and the last RST ends TIME_WAIT", () => {
  const { flow } = readOne("twa");
  assertEquals(shownCount(flow), 9);
  assertEquals(analysesOf(flow), ["", "", "", "", "", "", "late", "late", ""]);
  assertEquals(statesOf(flow).slice(-4), [
    "TIME_WAIT CLOSED",
    "TIME_WAIT CLOSED",
    "TIME_WAIT CLOSED",
    "CLOSED CLOSED",
  ]);
  assertEquals(
    diagnose(flow).text,
    "Established in 20.0 ms; closed by the client after 50.0 ms; " +
      "a reset by the server then ended TIME_WAIT (RFC 1337).",
  );
});

Deno.test("synfirst: a SYN+ACK captured before its SYN answers it", () => {
  const { flow } = readOne("synfirst");
  assertEquals([outcomeOf(flow), flow.client.isn, flow.server.isn], ["established", 100, 900]);
  assertEquals(analysesOf(flow), ["", "", ""]);
  assert(notesOf(flow).includes("captured in another order than on the wire"));
  assertEquals(recordOf(flow).answeredMs, null);
});

Deno.test("two: of two SYN+ACKs, the acknowledged one counts", () => {
  const { flow } = readOne("two");
  assertEquals([outcomeOf(flow), flow.server.isn, flow.closedBy], ["established", 900, "client"]);
  assertEquals(analysesOf(flow)[2], "other-syn-ack");
  assertMatch(notesOf(flow).join(), /another SYN\+ACK had k = 7000: a stale or forged one.*second/);
});

Deno.test("tfo_nosyn: j is unknown if the SYN was not captured", () => {
  const [first, second] = read("tfo_nosyn").flows;
  assertEquals([outcomeOf(first!), recordOf(first!).client.isn], ["partial", null]);
  assertMatch(notesOf(first!)[0]!, /^j unknown/);
  assertEquals(statesOf(first!).slice(0, 2), ["SYN_SENT SYN_RECV", "ESTABLISHED ESTABLISHED"]);
  assertEquals(statesOf(first!).at(-1), "TIME_WAIT CLOSED");
  assertEquals([second!.client.isn, second!.client.bytes], [3_033_093_656, 3]);
  assertMatch(diagnose(second!).text, /TCP Fast Open: 3 bytes acknowledged with the SYN/);
});

Deno.test("winok: a RST ends the attempt, and the same SYN begins another one", () => {
  const { flows } = read("winok");
  assertEquals(flows.map(outcomeOf), ["refused", "established"]);
  assertEquals(flows.map(shownCount), [2, 8]);
  assertEquals([flows[1]!.client.bytes, flows[1]!.server.bytes], [5, 5]);
});

Deno.test("iot: a device that reuses port and ISN after a restart makes two connections", () => {
  const { flows } = read("iot");
  assertEquals(flows.map(outcomeOf), ["established", "established"]);
  assertEquals(flows.map(({ server }) => server.isn), [900, 70_000]);
  assertEquals(flows.map(shownCount), [10, 10]);
});

Deno.test("ooo: out-of-order data is no retransmission, and each byte counts once", () => {
  const { flow } = readOne("ooo");
  const { bytes, retransmissions, outOfOrder } = flow.server;
  assertEquals({ bytes, resent: retransmissions, outOfOrder }, {
    bytes: 300,
    resent: 0,
    outOfOrder: 1,
  });
  assertEquals(analysesOf(flow)[5], "out-of-order");
});

Deno.test("chal: challenge ACKs of an old connection are reported as answers", () => {
  const [old, attempt] = read("chal").flows;
  assertEquals([outcomeOf(old!), old!.client.bytes], ["established", 2]);
  assertEquals([outcomeOf(attempt!), attempt!.strayAnswers], ["mismatch", 5]);
  const { text } = diagnose(attempt!);
  // The old connection was captured, so its existence is not inferred.
  assertMatch(text, /^Answered, but not this SYN: an old connection still holds these ports;/);
  assertEquals([shownCount(old!), shownCount(attempt!)], [7, 11]);
});

Deno.test("wrongack: a SYN+ACK for another SYN is reported as an answer", () => {
  const { flow } = readOne("wrongack");
  assertEquals([outcomeOf(flow), flow.server.hasIsn], ["mismatch", false]);
  assertMatch(diagnose(flow).text, /an old connection still holds these ports \(inferred\)/);
  assertMatch(diagnose(flow).next!, /The client resets it/);
  assertEquals(shownCount(flow), 6);
});

for (const name of ["dup", "sll_dup"]) {
  Deno.test(`${name}: duplicates from a mirror port count once, and the handshake is measured`, () => {
    const { flow, counters } = readOne(name);
    assertEquals([flow.duplicates, counters.duplicates, shownCount(flow)], [10, 10, 10]);
    assertEquals([flow.client.retransmissions, flow.server.retransmissions], [0, 0]);
    assertEquals(recordOf(flow).establishedMs, 10.1);
  });
}

Deno.test("simul_real: a simultaneous open of two kernels has no retransmission", () => {
  const { flow } = readOne("simul_real");
  assertEquals([flow.isSimultaneous, flow.client.retransmissions, flow.server.retransmissions], [
    true,
    0,
    0,
  ]);
  assertEquals([flow.client.syns, flow.server.syns], [1, 1]);
  assertEquals(statesOf(flow).slice(0, 4), [
    "SYN_SENT UNKNOWN",
    "SYN_SENT SYN_SENT",
    "SYN_RECV SYN_SENT",
    "ESTABLISHED ESTABLISHED",
  ]);
  assertMatch(
    diagnose(flow).text,
    /^Established in 15 µs \(simultaneous open\); closed by 10\./,
  );
});

Deno.test("clockback: a clock that steps back is reported and makes no time negative", () => {
  const { flow } = readOne("clockback");
  const text = renderLadder(ladderOf(flow));
  assert(!text.includes("earlier"), text);
  assertMatch(text, /the capture's clock went back 99\.990 s/);
  const times = flow.history!.entries.map(({ time }) => time - flow.startedAt);
  assertEquals(times, times.toSorted((a, b) => a - b));
  assert(times.every((time) => time >= 0));
});

Deno.test("zw: zero-window probes are no keep-alives", () => {
  const { flow } = readOne("zw");
  const { windowProbes, keepAlives, bytes } = flow.client;
  assertEquals({ windowProbes, keepAlives, bytes }, {
    windowProbes: 4,
    keepAlives: 0,
    bytes: 200_000,
  });
  assertEquals(analysesOf(flow).filter((mark) => mark === "window-probe").length, 1);
});

Deno.test("Every packet is in exactly one ladder or counter", () => {
  for (const name of CAPTURES) {
    const { flows, counters } = read(name);
    const shown = flows.reduce((sum, flow) => sum + shownCount(flow), 0);
    const passedOver = [...counters.withoutTcp.values(), ...counters.undecodable.values()]
      .reduce((sum, count) => sum + count, 0);
    const counted = counters.duplicates + counters.strayIcmpErrors + counters.filtered + passedOver;
    assertEquals(shown + counted, counters.packets, name);
  }
});

/** A TCP segment as tshark decodes it. */
interface TsharkSegment {
  readonly stream: string;
  readonly port: string;
  readonly seq: number;
  readonly length: number;
  readonly isSyn: boolean;
  readonly isAck: boolean;
  /** Seconds from SYN to ACK, empty if tshark did not measure them. */
  readonly initialRtt: string;
}

const FIELDS = [
  ...["tcp.stream", "tcp.srcport", "tcp.seq_raw", "tcp.len"],
  ...["tcp.flags.syn", "tcp.flags.ack", "tcp.analysis.initial_rtt"],
].flatMap((field) => ["-e", field]);

const decodedByTshark = new Map<string, Promise<TsharkSegment[]>>();

/** The TCP segments of a capture; tshark is started once per capture. */
function tsharkSegments(name: string): Promise<TsharkSegment[]> {
  const known = decodedByTshark.get(name);
  if (known !== undefined) return known;
  const segments = runTshark(name);
  decodedByTshark.set(name, segments);
  return segments;
}

async function runTshark(name: string): Promise<TsharkSegment[]> {
  const { code, stdout, stderr } = await run(
    ["tshark", "-n", "-r", pathOf(name), "-Y", "tcp", "-T", "fields", ...FIELDS],
  );
  assertEquals(code, 0, stderr);
  const isSet = (bit: string) => /^(1|True)$/.test(bit);
  return stdout.split("\n").filter(Boolean).map((line) => {
    const [stream = "", port = "", seq, length, syn = "", ack = "", initialRtt = ""] = line
      .split("\t");
    const bits = { isSyn: isSet(syn), isAck: isSet(ack) };
    return { stream, port, seq: Number(seq), length: Number(length), ...bits, initialRtt };
  });
}

function testWithTshark(name: string, fn: () => Promise<void>): void {
  const isThere = isInstalled("tshark");
  Deno.test({ name: isThere ? name : `${name} (ignored: needs tshark)`, ignore: !isThere, fn });
}

testWithTshark("tshark finds the same SYNs", async () => {
  for (const name of CAPTURES) {
    const theirs = (await tsharkSegments(name)).filter(({ isSyn }) => isSyn)
      .map(({ isAck, seq }) => `${isAck} ${seq}`);
    const ours = read(name).flows.flatMap(({ history }) =>
      history!.entries.flatMap((entry) =>
        entry.kind === "segment" && (entry.flags & SYN) !== 0
          ? [`${(entry.flags & ACK) !== 0} ${entry.seq}`]
          : []
      )
    );
    assertEquals([...new Set(ours)].toSorted(), [...new Set(theirs)].toSorted(), name);
  }
});

testWithTshark("tshark finds the same bytes", async () => {
  // tshark takes the two connections of the same ports and ISN for one.
  for (const name of CAPTURES.filter((name) => name !== "iot")) {
    const bytes = new Set<string>();
    for (const { stream, port, seq, length, isSyn } of await tsharkSegments(name)) {
      const first = seq + (isSyn ? 1 : 0);
      for (let at = 0; at < length; at += 1) bytes.add(`${stream} ${port} ${first + at}`);
    }
    const ours = read(name).flows.reduce((sum, { client, server }) => {
      return sum + client.bytes + server.bytes;
    }, 0);
    assertEquals(ours, bytes.size, name);
  }
});

testWithTshark("tshark measures the same time from SYN to ACK", async () => {
  // tshark measures retransmitted SYNs and simultaneous opens differently.
  const names = ["jumbocut", "ooo", "synfirst", "tso_snap", "twa", "two", "zw"];
  for (const name of names) {
    const measured = (await tsharkSegments(name)).filter(({ initialRtt }) => initialRtt !== "");
    const theirs = new Map(measured.map(({ stream, initialRtt }) => [stream, initialRtt]));
    assertEquals(
      read(name).flows.map((flow) => recordOf(flow).establishedMs!.toFixed(3)),
      [...theirs.values()].map((seconds) => (Number(seconds) * 1000).toFixed(3)),
      name,
    );
  }
});
