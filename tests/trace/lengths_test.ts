/** Segment lengths with truncated captures, offloading and padding. */
import { assertEquals } from "@std/assert";
import { CapturePipeline } from "../../src/trace/track/capture_pipeline.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import type { Flow } from "../../src/trace/track/flow.ts";
import { datagram, ethernet, pcapFile, pcapngFile, u16, u32 } from "./wire.ts";
import { join, overIpv6, overUdp } from "./encapsulate.ts";

function trackOne(file: Uint8Array): Flow {
  const flows: Flow[] = [];
  const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
  const pipeline = new CapturePipeline(tracker);
  pipeline.feed(file);
  pipeline.finish();
  tracker.finish();
  assertEquals(flows.length, 1);
  return flows[0]!;
}

for (const [name, bytes] of [["tso_snap", 5000], ["jumbocut", 100_000]] as const) {
  Deno.test(`${name}: truncated payload counts with its length on the wire`, () => {
    const file = Deno.readFileSync(new URL(`captures/${name}.pcap`, import.meta.url));
    const { client, server } = trackOne(file);
    assertEquals([client.isn, server.isn, client.bytes, server.bytes], [100, 900, bytes, 0]);
  });
}

/** Payload length of the segment in a packet of which `kept` bytes are captured. */
function bytesOf(
  packet: Uint8Array,
  { captured, link }: { captured: number; link: number },
): number[] {
  const record = { bytes: packet.subarray(0, captured), originalLength: packet.length };
  return [pcapFile, pcapngFile].map((make) => trackOne(make([record], { link })).client.bytes);
}

Deno.test("A length of 0 with segmentation offload is that of the record, also in a tunnel", () => {
  const plain = datagram({ flags: "PA", payload: 9000 });
  plain.set(u16(0), 2);
  assertEquals(bytesOf(plain, { captured: 60, link: 101 }), [9000, 9000]);
  assertEquals(bytesOf(ethernet(plain), { captured: 90, link: 1 }), [9000, 9000]);
  const outer = overUdp(4789, join([8, 0, 0, 0], u32(256), ethernet(plain)));
  outer.set(u16(0), 2);
  assertEquals(bytesOf(outer, { captured: 120, link: 101 }), [9000, 9000]);
  const version6 = overIpv6(6, plain.subarray(20));
  version6.set(u16(0), 4);
  assertEquals(bytesOf(version6, { captured: 80, link: 101 }), [9000, 9000]);
});

Deno.test("The length of a jumbogram is that of its option, not of the frame", () => {
  const segment = datagram({ flags: "PA", payload: 70_000 }).subarray(20);
  // Next header, length, four bytes of padding, the jumbo option, two bytes of padding.
  const length = u32(16 + segment.length);
  const header = [6, 1, 1, 4, 0, 0, 0, 0, 0xc2, 4, ...length, 1, 0];
  const ip = overIpv6(0, join(header, segment));
  ip.set(u16(0), 4);
  assertEquals(bytesOf(join(ip, [1, 2, 3, 4]), { captured: 100, link: 101 }), [70_000, 70_000]);
});

Deno.test("Ethernet padding is no payload and holds no options", () => {
  const frame = join(ethernet(datagram({ flags: "PA", payload: 1 })), new Uint8Array(5).fill(2));
  assertEquals(bytesOf(frame, { captured: frame.length, link: 1 }), [1, 1]);
});
