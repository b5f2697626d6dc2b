/** Connections with the same addresses in different tunnels. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { CapturePipeline } from "../../src/trace/track/capture_pipeline.ts";
import { ladderOf } from "../../src/trace/report/ladder.ts";
import { renderLadders } from "../../src/trace/report/ladder_svg.ts";
import { renderLadder } from "../../src/trace/report/ladder_text.ts";
import type { Flow } from "../../src/trace/track/flow.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import { cooked2, datagram, type DatagramFields, ethernet, pcapFile, u16, u32 } from "./wire.ts";
import { frame, join, overUdp } from "./encapsulate.ts";

const THERE = {};
const BACK = {
  ...{ source: [192, 0, 2, 2], destination: [192, 0, 2, 1] },
  ...{ sourcePort: 80, destinationPort: 40_000 },
};

/** A complete connection with the given ISNs. */
function connectionOf(j: number, k: number): [isThere: boolean, ip: Uint8Array][] {
  const there = (fields: DatagramFields) => [true, datagram({ ...THERE, ...fields })] as const;
  const back = (fields: DatagramFields) => [false, datagram({ ...BACK, ...fields })] as const;
  return [
    there({ seq: j, flags: "S" }),
    back({ seq: k, ack: j + 1, flags: "SA" }),
    there({ seq: j + 1, ack: k + 1, flags: "A" }),
    there({ seq: j + 1, ack: k + 1, flags: "PA", payload: 10 }),
    back({ seq: k + 1, ack: j + 11, flags: "PA", payload: 20 }),
    there({ seq: j + 11, ack: k + 21, flags: "FA" }),
    back({ seq: k + 21, ack: j + 12, flags: "FA" }),
    there({ seq: j + 12, ack: k + 22, flags: "A" }),
  ].map(([isThere, ip]) => [isThere, ip]);
}

type Wrap = (ip: Uint8Array, isThere: boolean) => Uint8Array;

function inVxlan(number: number): Wrap {
  return (ip) => overUdp(4789, join([8, 0, 0, 0], u32(number * 256), ethernet(ip)));
}

function inGtp(there: number, back: number): Wrap {
  return (ip, isThere) =>
    overUdp(2152, join([0x30, 0xff], u16(ip.length), u32(isThere ? there : back), ip));
}

function inMpls(there: number, back: number): Wrap {
  return (ip, isThere) => frame(0x8847, join(u32((isThere ? there : back) * 4096 + 0x140), ip));
}

function inVlan(number: number): Wrap {
  return (ip) => ethernet(ip, [number]);
}

function track(packets: readonly Uint8Array[], link = 101) {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const pipeline = new CapturePipeline(tracker);
  const records = packets.map((bytes, index) => ({ bytes, seconds: 1000, fraction: index * 10 }));
  pipeline.feed(pcapFile(records, { link }));
  pipeline.finish();
  tracker.finish();
  return { flows, tracker };
}

/** Interleaves several connections. */
function interleaved(wraps: readonly Wrap[]): Uint8Array[] {
  const all = wraps.map((wrap, index) =>
    connectionOf(1000 + index * 0x2000_0000, 500 + index * 0x3000_0000)
      .map(([isThere, ip]) => wrap(ip, isThere))
  );
  return all[0]!.flatMap((_, step) => all.map((packets) => packets[step]!));
}

const TENANTS: [name: string, wraps: Wrap[], link: number, tunnels: string[][]][] = [
  ["VXLAN", [inVxlan(42), inVxlan(43), inVxlan(44)], 101, [["VXLAN 42"], ["VXLAN 43"], [
    "VXLAN 44",
  ]]],
  ["VLANs", [inVlan(5), inVlan(6)], 1, [["VLAN 5"], ["VLAN 6"]]],
  [
    "GTP-U, where each direction has a number of its own",
    [inGtp(1, 2), inGtp(3, 4), inGtp(5, 6)],
    101,
    [["GTP-U 0x1"], ["GTP-U 0x3"], ["GTP-U 0x5"]],
  ],
  ["MPLS", [inMpls(100, 200), inMpls(300, 400)], 1, [["MPLS 100"], ["MPLS 300"]]],
];

for (const [name, wraps, link, tunnels] of TENANTS) {
  Deno.test(`Equal addresses and ports in different tunnels are different connections: ${name}`, () => {
    const { flows } = track(interleaved(wraps), link);
    assertEquals(flows.map(({ client }) => client.tunnels), tunnels);
    for (const [index, { client, server }] of flows.entries()) {
      assertEquals([client.isn, server.isn], [
        1000 + index * 0x2000_0000,
        500 + index * 0x3000_0000,
      ]);
      assertEquals([client.bytes, server.bytes, client.segments + server.segments], [10, 20, 8]);
      assertEquals([client.state, server.state, client.retransmissions], [
        "TIME_WAIT",
        "CLOSED",
        0,
      ]);
    }
  });
}

Deno.test("A connection captured inside and outside its tunnel is one, with duplicates", () => {
  const packets = connectionOf(7, 9).flatMap(([isThere, ip]) => [
    cooked2(ip, isThere ? 5 : 6),
    cooked2(inVxlan(42)(ip, isThere), isThere ? 6 : 5),
  ]);
  const { flows, tracker } = track(packets, 276);
  assertEquals(flows.length, 1);
  const [{ client, server }] = flows as [Flow];
  assertEquals([client.isn, server.isn, client.bytes, server.bytes], [7, 9, 10, 20]);
  assertEquals([client.retransmissions + server.retransmissions, tracker.duplicates], [0, 8]);
  assertEquals(client.tunnels, ["VXLAN 42"]);
});

Deno.test("A connection continues when its tunnel changes", () => {
  const packets = connectionOf(7, 9).map(([isThere, ip], step) =>
    (step < 4 ? inGtp(1, 2) : inGtp(1, 22))(ip, isThere)
  );
  const { flows } = track(packets);
  assertEquals(flows.length, 1);
  assertEquals(flows[0]!.server.tunnels, ["GTP-U 0x16"]);
  assertEquals([flows[0]!.client.bytes, flows[0]!.server.bytes], [10, 20]);
});

Deno.test("A ladder names the tunnels of both directions in 80 columns", () => {
  const [flow] = track(connectionOf(7, 9).map(([isThere, ip]) => inGtp(17, 18)(ip, isThere))).flows;
  assertMatch(renderLadder(ladderOf(flow!)), /^\S+Z in GTP-U 0x11 →, ← GTP-U 0x12\n/);
  const numbers = [3, 4, 5, 6, 7, 8, 9];
  const deep: Wrap = (ip, isThere) =>
    numbers.reduce((inner, number) => inVxlan(number)(inner, isThere), ip);
  const [nested] = track(connectionOf(7, 9).map(([isThere, ip]) => deep(ip, isThere))).flows;
  const lines = renderLadder(ladderOf(nested!)).split("\n");
  assertEquals(
    `${lines[0]} ${lines[1]!.trim()}`.slice(27),
    " in VXLAN 9, VXLAN 8, VXLAN 7, VXLAN 6, VXLAN 5, VXLAN 4, VXLAN 3",
  );
  assert(renderLadders([ladderOf(nested!)]).includes("VXLAN 3<"));
  assertEquals(lines.filter((line) => line.length > 80), []);
});

Deno.test("The number of flows per address pair is bounded", () => {
  const packets = Array.from(
    { length: 3000 },
    (_, number) => inVxlan(number)(datagram({ seq: number * 0x100000 + 5, flags: "S" }), true),
  );
  const { flows, tracker } = track(packets);
  assertEquals([flows.length, tracker.evicted], [3000, 3000 - 64]);
});
