/** Decoding of segments in tunnels and link types. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import { outlet, run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { datagram, ethernet, icmpError, pcapFile, u32 } from "./wire.ts";
import { type Encapsulated, everyEncapsulation } from "./encapsulations.ts";
import { frame, join, overIpv4, overUdp } from "./encapsulate.ts";

const V6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const V6_PEER = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
const FIELDS = { seq: 4_000_000_000, flags: "S", payload: 5 };
const DATAGRAMS = [datagram(FIELDS), datagram({ ...FIELDS, source: V6, destination: V6_PEER })];

/** The result of decoding a packet, and its segment. */
function decode({ bytes, link }: { bytes: Uint8Array; link: number }, originalLength?: number) {
  const segment = new Segment();
  const decoder = new Decoder();
  let decoded = "";
  const record = { bytes, originalLength: originalLength ?? bytes.length };
  for (const packet of new CaptureReader().read(pcapFile([record], { link }))) {
    decoded = decoder.decode(packet, segment);
  }
  decoder.finish();
  const { withoutTcp, undecodable } = decoder.undecoded;
  return { decoded, segment, withoutTcp, notUnderstood: undecodable };
}

for (const ip of DATAGRAMS) {
  const version = ip === DATAGRAMS[0] ? "IPv4" : "IPv6";
  for (const wrapped of everyEncapsulation(ip)) {
    Deno.test(`A segment over ${version} is found in ${wrapped.name}`, () => {
      const { decoded, segment, notUnderstood } = decode(wrapped);
      assertEquals([decoded, [...notUnderstood]], ["tcp", []]);
      const { seq, length, sourcePort, destinationPort } = segment;
      assertEquals([seq, length, sourcePort, destinationPort], [4_000_000_000, 5, 40_000, 80]);
      assertEquals(segment.tunnels.names(), wrapped.tunnels);
    });
  }
}

Deno.test({
  name: isInstalled("tshark")
    ? "tshark finds the same segments in the same packets"
    : "tshark finds the same segments in the same packets (ignored: needs tshark)",
  ignore: !isInstalled("tshark"),
  async fn() {
    const all = DATAGRAMS.flatMap(everyEncapsulation).filter(({ tshark }) => tshark !== false);
    const byLink = Map.groupBy(all, ({ link }) => link);
    for (const [link, packets] of byLink) {
      assertEquals(
        await numbersOfTshark(packets, link),
        packets.map(({ name }) => `${name} 4000000000 5`),
      );
    }
  },
});

async function numbersOfTshark(packets: readonly Encapsulated[], link: number): Promise<string[]> {
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(file, pcapFile(packets, { link }));
    // tshark decodes VXLAN-GPE on this port, and protected 802.11 frames, only on request.
    const decodeAs = ["-d", "udp.port==4790,vxlan_gpe", "-o", "wlan.ignore_wep:No"];
    const fields = ["-T", "fields", "-e", "tcp.seq_raw", "-e", "tcp.len"];
    const { stdout } = await run(["tshark", "-r", file, ...decodeAs, ...fields]);
    return stdout.trimEnd().split("\n").map((line, index) =>
      `${packets[index]?.name} ${line.trim().split(/\s+/).join(" ")}`
    );
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("Ladder and JSON name the tunnels of a connection", async () => {
  const bytes = overUdp(4789, join([8, 0, 0, 0], u32(42 * 256), ethernet(DATAGRAMS[0]!)));
  const stdin = pcapFile([{ bytes }]);
  const text = await run(outlet("trace", "--read", "-"), { stdin });
  assertMatch(text.stdout, /^\S+Z in VXLAN 42\n/);
  const json = await run(outlet("trace", "--read", "-", "--json"), { stdin });
  assertEquals(JSON.parse(json.stdout).client.through, ["VXLAN 42"]);
});

Deno.test("A header truncated anywhere is counted as truncated", () => {
  for (const wrapped of everyEncapsulation(DATAGRAMS[0]!)) {
    const headers = wrapped.bytes.length - 5 - 20 + 16;
    for (let length = 0; length < headers - 4; length += 1) {
      const bytes = wrapped.bytes.subarray(0, length);
      const { decoded, notUnderstood, withoutTcp } = decode(
        { ...wrapped, bytes },
        wrapped.bytes.length,
      );
      assertEquals(decoded, "undecoded", `${wrapped.name}, ${length} bytes`);
      assertEquals([...notUnderstood.values(), ...withoutTcp.values()], [1]);
    }
  }
});

Deno.test("Too many nested tunnels are counted and not decoded", () => {
  let ip: Uint8Array = DATAGRAMS[0]!;
  for (let depth = 0; depth < 100; depth += 1) ip = overIpv4(4, ip);
  const { decoded, notUnderstood } = decode({ bytes: ip, link: 101 });
  assertEquals([decoded, [...notUnderstood]], ["undecoded", [["in too many tunnels", 1]]]);
});

Deno.test("An ICMP error inside a tunnel is about the flow inside", () => {
  const quoted = DATAGRAMS[0]!.subarray(0, 28);
  const error = icmpError({ type: 3, code: 1, quoted, reporter: [192, 0, 2, 9] });
  const bytes = overUdp(4789, join([8, 0, 0, 0], u32(42 * 256), ethernet(error)));
  const { decoded, segment } = decode({ bytes, link: 101 });
  assertEquals([decoded, segment.seq, segment.tunnels.names()], ["icmp", 4e9, ["VXLAN 42"]]);
});

const OTHERS: [name: string, bytes: Uint8Array, link: number][] = [
  ["ARP", frame(0x0806, new Uint8Array(28)), 1],
  ["LLDP", frame(0x88cc, new Uint8Array(28)), 1],
  ["spanning tree", frame(38, join([0x42, 0x42, 3], new Uint8Array(35))), 1],
  ["UDP", overUdp(53, new Uint8Array(20)), 101],
  ["UDP", overUdp(4789, new Uint8Array(3)), 101],
  ["UDP", overUdp(4789, new Uint8Array(40)), 101],
  ["OSPF", overIpv4(89, new Uint8Array(20)), 101],
  ["GRE keepalive", overIpv4(47, new Uint8Array(4)), 101],
  ["GTP-U message", overUdp(2152, join([0x32, 1, 0, 4], new Uint8Array(8))), 101],
  ["PPP control", join([0xff, 3, 0xc0, 0x21], new Uint8Array(8)), 9],
  ["802.11 management", join([0x80, 0], new Uint8Array(40)), 105],
];

const UNKNOWN: [name: string, bytes: Uint8Array, link: number][] = [
  ["of link type 7 (ARCNET)", new Uint8Array(20), 7],
  ["of link type 65000", new Uint8Array(20), 65_000],
  ["of EtherType 0x88e5 (MACsec)", frame(0x88e5, new Uint8Array(28)), 1],
  ["of EtherType 0x1234", frame(0x1234, new Uint8Array(28)), 1],
  ["of IP protocol 50 (ESP, encrypted)", overIpv4(50, new Uint8Array(20)), 101],
  ["of IP protocol 253", overIpv4(253, new Uint8Array(20)), 101],
  ["of PPP protocol 0x002d (Van Jacobson compressed TCP)", join([0x2d], new Uint8Array(8)), 9],
  ["of encrypted 802.11", join([0x08, 0x41], new Uint8Array(40)), 105],
];

Deno.test("Packets without TCP are counted by name, undecodable ones by number and name", () => {
  for (const [name, bytes, link] of OTHERS) {
    const { decoded, withoutTcp, notUnderstood } = decode({ bytes, link });
    assertEquals([decoded, [...withoutTcp], [...notUnderstood]], ["undecoded", [[name, 1]], []]);
  }
  for (const [name, bytes, link] of UNKNOWN) {
    const { decoded, withoutTcp, notUnderstood } = decode({ bytes, link });
    assertEquals([decoded, [...withoutTcp], [...notUnderstood]], ["undecoded", [], [[name, 1]]]);
  }
});

Deno.test("Kinds beyond the limit are counted together", () => {
  const decoder = new Decoder();
  const frames = Array.from({ length: 300 }, (_, i) => frame(0x3000 + i, new Uint8Array(20)));
  const file = pcapFile(frames.map((bytes) => ({ bytes })), { link: 1 });
  for (const packet of new CaptureReader().read(file)) decoder.decode(packet, new Segment());
  const { undecodable } = decoder.undecoded;
  assertEquals([undecodable.size, undecodable.get("of other kinds")], [65, 300 - 64]);
});

Deno.test("stderr lists undecodable packets; exit 1 if there are no others", async () => {
  const arcnet = Array.from({ length: 14 }, () => ({ bytes: new Uint8Array(20) }));
  const nothing = await run(outlet("trace", "--read", "-"), {
    stdin: pcapFile(arcnet, { link: 7 }),
  });
  assertEquals([nothing.code, nothing.stdout], [1, ""]);
  assertStringIncludes(
    nothing.stderr,
    "14 packets of link type 7 (ARCNET) could not be decoded\n" +
      "outlet: cannot read stdin: no packet in it could be decoded",
  );

  const mixed = [
    { bytes: ethernet(DATAGRAMS[0]!) },
    { bytes: frame(0x0806, new Uint8Array(28)) },
    { bytes: frame(0x88e5, new Uint8Array(28)) },
    { bytes: ethernet(overUdp(53, new Uint8Array(9))) },
  ];
  const some = await run(outlet("trace", "--read", "-"), { stdin: pcapFile(mixed, { link: 1 }) });
  assertEquals(some.code, 0);
  assertStringIncludes(some.stderr, "outlet: 2 packets without TCP: 1 ARP, 1 UDP\n");
  assertStringIncludes(
    some.stderr,
    "outlet: 1 packet of EtherType 0x88e5 (MACsec) could not be decoded\n",
  );
  assert(some.stdout.includes("SYN seq=4000000000"));
});

Deno.test("Segments of other hosts and ports are counted", async () => {
  const stdin = pcapFile([{ bytes: DATAGRAMS[0]! }, { bytes: DATAGRAMS[1]! }]);
  const { code, stdout, stderr } = await run(outlet("trace", "--read", "-", "-p", "81"), { stdin });
  assertEquals([code, stdout, stderr], [0, "", "outlet: 2 segments of other hosts or ports\n"]);
});
