import { assertEquals } from "@std/assert";
import { addressText, parseAddress } from "../../src/trace/decode/ip_address.ts";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import {
  bits,
  cooked,
  cooked2,
  datagram,
  ethernet,
  icmpError,
  loopback,
  pcapFile,
  u16,
  u32,
} from "./wire.ts";

const V6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const V6_PEER = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/** The result of decoding a packet; without a segment, its counted kind. */
function decode(
  bytes: Uint8Array,
  link = 101,
  originalLength = bytes.length,
): { decoded: string; segment: Segment } {
  const segment = new Segment();
  const decoder = new Decoder();
  let decoded = "nothing";
  for (const packet of new CaptureReader().read(pcapFile([{ bytes, originalLength }], { link }))) {
    decoded = decoder.decode(packet, segment);
  }
  decoder.finish();
  const { withoutTcp, undecodable } = decoder.undecoded;
  return { decoded: [...withoutTcp.keys(), ...undecodable.keys()][0] ?? decoded, segment };
}

function assertCarries(bytes: Uint8Array, link: number): void {
  const { decoded, segment } = decode(bytes, link);
  assertEquals(decoded, "tcp");
  assertEquals(segment.seq, 4_000_000_000);
  assertEquals([segment.sourcePort, segment.destinationPort], [40_000, 80]);
  assertEquals(segment.length, 5);
}

const IPV4 = datagram({ seq: 4_000_000_000, flags: "PA", payload: 5 });
const IPV6 = datagram({ ...{ source: V6, destination: V6_PEER }, seq: 4_000_000_000, payload: 5 });

Deno.test("Segments are found in every link type, over IPv4 and IPv6", () => {
  for (const ip of [IPV4, IPV6]) {
    assertCarries(ethernet(ip), 1);
    assertCarries(ethernet(ip, [100]), 1);
    assertCarries(ethernet(ip, [100, 200]), 1);
    assertCarries(cooked(ip), 113);
    assertCarries(cooked2(ip), 276);
    for (const link of [12, 14, 101]) assertCarries(ip, link);
  }
  assertCarries(IPV4, 228);
  assertCarries(IPV6, 229);
});

Deno.test("BSD loopback has the address family of any BSD, in either byte order", () => {
  for (const link of [0, 108]) {
    assertCarries(loopback(IPV4, [2, 0, 0, 0]), link);
    assertCarries(loopback(IPV4, [0, 0, 0, 2]), link);
    for (const family of [10, 24, 28, 30]) {
      assertCarries(loopback(IPV6, [family, 0, 0, 0]), link);
      assertCarries(loopback(IPV6, [0, 0, 0, family]), link);
    }
  }
});

Deno.test("A Linux cooked capture holds the interface", () => {
  assertEquals(decode(cooked2(IPV4, 7), 276).segment.interface, 7);
});

Deno.test("IPv4 options and IPv6 extension headers are skipped", () => {
  const routerAlert = [0x94, 4, 0, 0];
  assertCarries(datagram({ seq: 4e9, payload: 5, networkOptions: routerAlert }), 101);
  const hopByHop = [60, 0, 5, 2, 0, 0, 1, 0];
  const destinationOptions = [51, 0, 1, 4, 0, 0, 0, 0];
  const authentication = [43, 1, 0, 0, ...u32(7), ...u32(8)];
  const routing = [44, 0, 0, 0, 0, 0, 0, 0];
  const firstFragment = [6, 0, ...u16(1), ...u32(99)];
  const headers = [hopByHop, destinationOptions, authentication, routing, firstFragment];
  const fields = { source: V6, destination: V6_PEER, firstHeader: 0, seq: 4e9, payload: 5 };
  assertCarries(datagram({ ...fields, networkOptions: headers.flat() }), 101);
});

Deno.test("MSS, window scale, SACK and timestamps are parsed", () => {
  const options = [2, 4, ...u16(1460), 4, 2, 8, 10, ...u32(123), ...u32(0), 1, 3, 3, 7];
  assertEquals(decode(datagram({ options })).segment.options, {
    mss: 1460,
    sackPermitted: true,
    timestamps: { value: 123, echo: 0 },
    windowScale: 7,
  });
  const blocks = [1, 1, 5, 18, ...u32(10), ...u32(20), ...u32(4e9), ...u32(30)];
  const { segment } = decode(datagram({ flags: "A", options: blocks }));
  assertEquals(segment.options, { sack: [[10, 20], [4e9, 30]] });
});

Deno.test("TCP options with an invalid length end the list", () => {
  for (const options of [[2, 40, 5, 180], [3, 0, 0, 0], [2, 1, 1, 1], [1, 1, 1, 2]]) {
    assertEquals(decode(datagram({ options })).segment.options, {});
  }
  assertEquals(decode(datagram({ options: [3, 3, 255, 0] })).segment.options, { windowScale: 14 });
});

Deno.test("Each control bit is decoded", () => {
  for (const flags of ["S", "SA", "A", "PA", "FA", "R", "RA", ""]) {
    assertEquals(decode(datagram({ flags })).segment.flags, bits(flags));
  }
});

Deno.test("An ICMP error holds its source and the quoted segment", () => {
  const quoted = datagram({ seq: 77 }).subarray(0, 28);
  const { decoded, segment } = decode(
    icmpError({ type: 3, code: 1, quoted, reporter: [10, 0, 0, 9] }),
  );
  assertEquals(decoded, "icmp");
  assertEquals([segment.icmpType, segment.icmpCode, segment.seq], [3, 1, 77]);
  assertEquals(addressText(segment.icmpSource), "10.0.0.9");
  assertEquals(addressText(segment.addresses, 4), "192.0.2.2");
  assertEquals([segment.sourcePort, segment.destinationPort], [40_000, 80]);
});

Deno.test("An ICMPv6 error is decoded like an ICMP one", () => {
  const quoted = datagram({ source: V6, destination: V6_PEER, seq: 78 });
  const { decoded, segment } = decode(icmpError({ type: 1, code: 4, quoted, reporter: V6_PEER }));
  assertEquals(decoded, "icmp");
  assertEquals([segment.icmpType, segment.icmpCode, segment.seq], [1, 4, 78]);
  assertEquals(addressText(segment.icmpSource), "2001:db8::2");
});

Deno.test("An echo request and an error about UDP are no errors about TCP", () => {
  const quoted = datagram();
  assertEquals(decode(icmpError({ type: 8, code: 0, quoted, reporter: V6 })).decoded, "ICMPv6");
  const udp = datagram();
  udp[9] = 17;
  assertEquals(decode(udp).decoded, "UDP");
  const aboutUdp = icmpError({ type: 3, code: 3, quoted: udp, reporter: [10, 0, 0, 9] });
  assertEquals(decode(aboutUdp).decoded, "ICMP error");
});

Deno.test("A truncated packet is decoded with its length on the wire if its header is captured", () => {
  const whole = datagram({ payload: 1000, options: [2, 4, ...u16(1460)] });
  const { decoded, segment } = decode(whole.subarray(0, 20 + 16));
  assertEquals([decoded, segment.length], ["tcp", 1000]);
  assertEquals(segment.options, { isTruncated: true });
  for (let length = 0; length < 20 + 16; length += 1) {
    assertEquals(
      decode(whole.subarray(0, length), 101, whole.length).decoded,
      "with truncated headers",
    );
  }
});

Deno.test("Contradictory headers and unknown link types are counted", () => {
  const version5 = datagram();
  version5[0] = 0x55;
  assertEquals(decode(version5).decoded, "with malformed headers");
  const shortHeader = datagram();
  shortHeader[0] = 0x44;
  assertEquals(decode(shortHeader).decoded, "with malformed headers");
  const tinyTcp = datagram();
  tinyTcp[20 + 12] = 0x40;
  assertEquals(decode(tinyTcp).decoded, "with malformed headers");
  const overrun = datagram();
  overrun[20 + 12] = 0xf0;
  assertEquals(decode(overrun).decoded, "with malformed headers");
  assertEquals(decode(datagram(), 147).decoded, "of link type 147 (user 0)");
  assertEquals(
    decode(ethernet(new Uint8Array(40)).fill(0x88, 12, 14), 1).decoded,
    "of EtherType 0x8888",
  );
});

Deno.test("Addresses are formatted as in RFC 5952 and parsed back", () => {
  const addresses = [
    ...["127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:0:0:2"],
    ...["1:2:3:4:5:6:7:8", "2001:db8:0:1:1:1:1:1", "1::8", "::2:3:0:0:8", "1:0:0:2::"],
  ];
  for (const address of addresses) {
    assertEquals(addressText(parseAddress(address)!), address);
  }
  assertEquals(addressText(parseAddress("::ffff:192.0.2.1")!), "192.0.2.1");
  assertEquals(addressText(parseAddress("2001:DB8:0:0:0:0:0:1")!), "2001:db8::1");
  for (const text of ["", ":", "1:2", "1::2::3", "256.1.1.1", "1.2.3", "example.org", "::12345"]) {
    assertEquals(parseAddress(text), undefined, text);
  }
});
