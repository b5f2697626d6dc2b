/** Options of SYN and SYN+ACK, as text and JSON. */
import { assertEquals, assertMatch } from "@std/assert";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import { describeSyn, describeSyns, recordOfSyn } from "../../src/trace/report/syn_options.ts";
import { outlet, run } from "../harness/program.ts";
import { datagram, pcapFile, u16, u32 } from "./wire.ts";

function offered(options: readonly number[], flags = "S"): Segment {
  const padding = new Array<number>((4 - options.length % 4) % 4).fill(1);
  const file = pcapFile([{ bytes: datagram({ flags, options: [...options, ...padding] }) }]);
  const segment = new Segment();
  for (const packet of new CaptureReader().read(file)) new Decoder().decode(packet, segment);
  return segment;
}

const COOKIE = [1, 2, 3, 4, 5, 6, 7, 0xab];

const OFFERS: [text: string, options: number[], flags?: string][] = [
  ["mss 1460", [2, 4, ...u16(1460)]],
  ["sackOK", [4, 2]],
  ["TS val 7 ecr 0", [8, 10, ...u32(7), ...u32(0)]],
  ["wscale 14", [3, 3, 14]],
  ["TFO cookie asked for", [34, 2]],
  ["TFO cookie 01020304050607ab used", [34, 10, ...COOKIE]],
  ["TFO cookie 01020304050607ab given", [34, 10, ...COOKIE], "SA"],
  ["TFO without a cookie", [34, 2], "SA"],
  ["TFO cookie asked for (experimental kind)", [254, 4, 0xf9, 0x89]],
  ["TFO cookie 01020304050607ab given (experimental kind)", [254, 12, 0xf9, 0x89, ...COOKIE], "SA"],
  ["MPTCP MP_CAPABLE v1", [30, 4, 0x01, 0]],
  ["MPTCP MP_JOIN", [30, 12, 0x10, 0, ...u32(1), ...u32(2)]],
  ["MPTCP subtype 12", [30, 4, 0xc0, 0]],
  ["option 77", [77, 3, 9]],
  ["option 19 (MD5 signature)", [19, 18, ...new Array<number>(16).fill(0)]],
  ["option 253 (experiment 0x0348)", [253, 4, 0x03, 0x48]],
  ["ECN: CWR+ECE", [], "SEC"],
  ["ECN: AE+CWR+ECE", [], "SECN"],
  ["ECN: ECE", [], "SAE"],
  ["no options", []],
  ["mss 1460, sackOK, TS val 7 ecr 0, wscale 7, option 78, ECN: CWR+ECE", [
    ...[78, 2, 4, 2, 8, 10, ...u32(7), ...u32(0)],
    ...[3, 3, 7, 2, 4, ...u16(1460)],
  ], "SEC"],
];

Deno.test("Each option of a SYN is described, unknown kinds by number", () => {
  for (const [text, options, flags] of OFFERS) {
    assertEquals(describeSyn(offered(options, flags)), text);
  }
});

Deno.test("Truncated options are reported", () => {
  const whole = datagram({ options: [2, 4, ...u16(1460), 4, 2, 1, 1] });
  const segment = new Segment();
  for (const packet of new CaptureReader().read(pcapFile([{ bytes: whole.subarray(0, 44) }]))) {
    new Decoder().decode(packet, segment);
  }
  assertEquals(describeSyn(segment), "mss 1460, the rest of the options was not captured");
});

Deno.test("A retransmitted SYN is listed if its options differ other than in timestamps", () => {
  const clock = (value: number) => [8, 10, ...u32(value), ...u32(0)];
  const syns = [
    offered([...clock(1), 34, 2], "SEC"),
    offered([...clock(2), 34, 2], "SEC"),
    offered(clock(3)),
    offered(clock(9), "SA"),
  ];
  assertEquals(describeSyns(syns.map(({ flags, options }) => ({ flags, options }))), [
    "SYN: TS val 1 ecr 0, TFO cookie asked for, ECN: CWR+ECE",
    "SYN again: TS val 3 ecr 0",
    "SYN+ACK: TS val 9 ecr 0",
  ]);
});

Deno.test("JSON has a field for each option of a SYN", () => {
  const { options, flags } = offered([
    ...[2, 4, ...u16(1460), 4, 2, 8, 10, ...u32(7), ...u32(0), 3, 3, 7],
    ...[34, 6, 1, 2, 3, 4, 30, 4, 1, 0, 77, 2],
  ], "SEC");
  assertEquals(recordOfSyn({ options, flags }), {
    mss: 1460,
    windowScale: 7,
    sackPermitted: true,
    timestamps: { value: 7, echo: 0 },
    fastOpen: { cookie: "01020304", what: "used", experimental: false },
    mptcp: { subtype: "MP_CAPABLE", version: 1 },
    otherKinds: [77],
    ecnBits: ["CWR", "ECE"],
  });
});

Deno.test("outlet trace shows the options of SYN and SYN+ACK", async () => {
  const server = { source: [192, 0, 2, 2], destination: [192, 0, 2, 1] };
  const ports = { sourcePort: 80, destinationPort: 40_000 };
  const stdin = pcapFile([
    { bytes: datagram({ flags: "SEC", seq: 1, options: [2, 4, ...u16(1460), 34, 2, 1, 1] }) },
    {
      bytes: datagram({
        ...{ ...server, ...ports, flags: "SAE", seq: 5, ack: 2 },
        options: [2, 4, ...u16(8960)],
      }),
    },
  ]);
  const text = await run(outlet("trace", "--read", "-"), { stdin });
  assertMatch(text.stdout, /^SYN: mss 1460, TFO cookie asked for, ECN: CWR\+ECE$/m);
  assertMatch(text.stdout, /^SYN\+ACK: mss 8960, ECN: ECE$/m);
  const json = await run(outlet("trace", "--read", "-", "--json"), { stdin });
  const { client, server: answer } = JSON.parse(json.stdout);
  assertEquals([client.syn.fastOpen.what, answer.syn.mss], ["asked", 8960]);
});
