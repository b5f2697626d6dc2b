/** Segments in fragmented IP datagrams. */
import { assert, assertEquals } from "@std/assert";
import { CaptureReader } from "../../src/trace/decode/capture_reader.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import { CapturePipeline } from "../../src/trace/track/capture_pipeline.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";
import type { Flow } from "../../src/trace/track/flow.ts";
import { run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { type CapturedPacket, datagram, ethernet, pcapFile, u16, u32 } from "./wire.ts";
import { fragmentsOf } from "./fragment.ts";
import { join, overUdp } from "./encapsulate.ts";

const V6 = {
  source: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  destination: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
};
const OPTIONS = [2, 4, ...u16(1460), 4, 2, 8, 10, ...u32(1), ...u32(0), 1, 3, 3, 7];

interface DecodedSegment {
  readonly seq: number;
  readonly length: number;
  readonly flags: number;
  readonly mss: number | undefined;
  readonly isRest: boolean;
}

function decodeAll(packets: readonly (Uint8Array | CapturedPacket)[], link = 101) {
  const records = packets.map((packet) =>
    packet instanceof Uint8Array ? { bytes: packet } : packet
  );
  const decoder = new Decoder();
  const segment = new Segment();
  const seen: DecodedSegment[] = [];
  for (const packet of new CaptureReader().read(pcapFile(records, { link }))) {
    if (decoder.decode(packet, segment) !== "tcp") continue;
    const { seq, length, flags, options: { mss }, isRemainder } = segment;
    seen.push({ seq, length, flags, mss, isRest: isRemainder });
  }
  decoder.finish();
  const { withoutTcp, undecodable } = decoder.undecoded;
  return { seen, withoutTcp, notUnderstood: undecodable };
}

const PUSHED = 0x18;

for (const [name, ends] of [["IPv4", {}], ["IPv6", V6]] as const) {
  Deno.test(`${name}: a fragmented TCP header is decoded after the last fragment, in any order`, () => {
    const syn = datagram({ ...ends, seq: 500, flags: "S", options: OPTIONS, payload: 3 });
    const fragments = fragmentsOf(syn, 8);
    assert(fragments.length > 5);
    const orders = [
      fragments,
      fragments.toReversed(),
      fragments.toSorted((a, b) => a.length - b.length),
    ];
    for (const order of orders) {
      const { seen, notUnderstood, withoutTcp } = decodeAll(order);
      assertEquals(seen, [{ seq: 500, length: 3, flags: 2, mss: 1460, isRest: false }]);
      assertEquals([notUnderstood.size, withoutTcp.size], [0, 0]);
    }
  });

  Deno.test(`${name}: bytes and FIN of a fragmented segment are counted once`, () => {
    const data = datagram({ ...ends, seq: 500, flags: "FPA", payload: 3000 });
    const [first, ...others] = fragmentsOf(data, 1024);
    const length = 1024 - 20;
    const head = { seq: 500, length, flags: PUSHED, mss: undefined, isRest: false };
    const rest = {
      ...{ seq: 500 + length, length: 3000 - length, flags: PUSHED | 1 },
      ...{ mss: undefined, isRest: true },
    };
    assertEquals(decodeAll([first!, ...others]).seen, [head, rest]);
    assertEquals(decodeAll([first!, ...others.toReversed()]).seen, [head, rest]);
    const whole = { seq: 500, length: 3000, flags: PUSHED | 1, mss: undefined, isRest: false };
    assertEquals(decodeAll([...others, first!]).seen, [whole]);
    // A mirror port shows each fragment twice.
    const twice = [first!, ...others].flatMap((fragment) => [fragment, fragment]);
    assertEquals(decodeAll(twice).seen, [head, head, rest]);
    assertEquals(decodeAll(twice).notUnderstood.size, 0);
  });

  Deno.test(`${name}: a first fragment is decoded without the others`, () => {
    const [first] = fragmentsOf(datagram({ ...ends, seq: 7, flags: "PA", payload: 3000 }), 1024);
    const { seen, notUnderstood } = decodeAll([first!]);
    assertEquals([seen.length, seen[0]!.length, notUnderstood.size], [1, 1004, 0]);
  });

  Deno.test(`${name}: fragments without a complete header are counted`, () => {
    const fragments = fragmentsOf(datagram({ ...ends, options: OPTIONS, payload: 30 }), 8);
    const { seen, notUnderstood } = decodeAll(fragments.slice(1));
    assertEquals(seen, []);
    assertEquals([...notUnderstood], [[
      "in incomplete fragments",
      fragments.length - 1,
    ]]);
    assertEquals([...decodeAll([fragments[0]!, fragments[2]!]).notUnderstood.values()], [2]);
  });

  Deno.test(`${name}: fragments of UDP are counted as UDP, in any order`, () => {
    const udp = datagram({ ...ends, payload: 3000 });
    udp[ends === V6 ? 6 : 9] = 17;
    const fragments = fragmentsOf(udp, 1024);
    for (const order of [fragments, fragments.toReversed()]) {
      assertEquals([...decodeAll(order).withoutTcp], [["UDP", fragments.length]]);
    }
  });

  Deno.test(`${name}: equal identifications more than a minute apart are two datagrams`, () => {
    const [a, b] = [100, 200].map((seq) => fragmentsOf(datagram({ ...ends, seq, payload: 30 }), 8));
    const packets = [
      ...a!.slice(0, 3).map((bytes) => ({ bytes, seconds: 1000 })),
      ...b!.map((bytes) => ({ bytes, seconds: 1100 })),
    ];
    const { seen, notUnderstood } = decodeAll(packets);
    assertEquals([seen.map(({ seq }) => seq), [...notUnderstood.values()]], [[200], [3]]);
  });
}

Deno.test("An atomic IPv6 fragment is a whole datagram", () => {
  const atomic = [6, 0, 0, 0, ...u32(9)];
  const ip = datagram({ ...V6, seq: 5, firstHeader: 44, networkOptions: atomic, payload: 9 });
  assertEquals(decodeAll([ip]).seen, [{
    seq: 5,
    length: 9,
    flags: 2,
    mss: undefined,
    isRest: false,
  }]);
});

Deno.test("A fragmented tunnel packet holds one segment with its inner length", () => {
  const inner = datagram({ seq: 9, flags: "PA", payload: 2000 });
  const vxlan = overUdp(4789, join([8, 0, 0, 0], u32(42 * 256), ethernet(inner)));
  for (const size of [1400, 40, 8]) {
    const fragments = fragmentsOf(vxlan, size);
    for (const order of [fragments, fragments.toReversed()]) {
      const { seen, notUnderstood, withoutTcp } = decodeAll(order);
      assertEquals(seen.map(({ seq, length }) => [seq, length]), [[9, 2000]], `${size}`);
      assertEquals([notUnderstood.size, withoutTcp.size], [0, 0]);
    }
  }
});

Deno.test("Overlapping fragments and oversized datagrams are only counted", () => {
  const fragments = fragmentsOf(datagram({ payload: 3000 }), 1024);
  const overlapping = fragments.map((fragment) => fragment.slice());
  overlapping[1]!.set(u16(0x2000 | 100), 6);
  assertEquals([...decodeAll(overlapping).notUnderstood], []);
  const far = fragments[0]!.slice();
  far.set(u16(0x1fff), 6);
  assertEquals([...decodeAll([far]).notUnderstood], [["with malformed headers", 1]]);
});

Deno.test("Incomplete datagrams are bounded in number, and all are counted", () => {
  const fragment = fragmentsOf(datagram({ options: OPTIONS }), 8)[1]!;
  const packets = Array.from({ length: 5000 }, (_, number) => {
    const own = fragment.slice();
    own.set(u16(number), 4);
    return own;
  });
  assertEquals([...decodeAll(packets).notUnderstood.values()], [5000]);
});

Deno.test("A connection of fragmented segments is tracked like any other", () => {
  const there = { seq: 1, flags: "S", options: OPTIONS };
  const back = {
    ...{ source: [192, 0, 2, 2], destination: [192, 0, 2, 1] },
    ...{ sourcePort: 80, destinationPort: 40_000 },
  };
  const datagrams = [
    datagram(there),
    datagram({ ...back, seq: 50, ack: 2, flags: "SA", options: OPTIONS }),
    datagram({ seq: 2, ack: 51, flags: "PA", payload: 3000 }),
    datagram({ ...back, seq: 51, ack: 3002, flags: "A" }),
    datagram({ seq: 3002, ack: 51, flags: "FPA", payload: 2000 }),
    datagram({ ...back, seq: 51, ack: 5003, flags: "FA" }),
    datagram({ seq: 5003, ack: 52, flags: "A" }),
  ];
  for (const size of [8, 16, 1024]) {
    const flows: Flow[] = [];
    const tracker = new Tracker({ onFlow: (flow) => flows.push(flow) });
    const pipeline = new CapturePipeline(tracker);
    const packets = datagrams.flatMap((ip, index) => fragmentsOf(ip, size, index));
    pipeline.feed(pcapFile(packets.map((bytes) => ({ bytes }))));
    pipeline.finish();
    tracker.finish();
    const [{ client, server }] = flows as [Flow];
    assertEquals([client.isn, server.isn, client.bytes, client.segments], [1, 50, 5000, 4]);
    assertEquals([client.retransmissions, client.state, server.state], [0, "TIME_WAIT", "CLOSED"]);
  }
});

Deno.test({
  name: `tshark reassembles the same segments${
    isInstalled("tshark") ? "" : " (ignored: needs tshark)"
  }`,
  ignore: !isInstalled("tshark"),
  async fn() {
    const ips = [{}, V6].flatMap((ends, index) => [
      datagram({ ...ends, seq: 100 + index, options: OPTIONS, payload: 20 }),
      datagram({ ...ends, seq: 5000 + index, flags: "PA", payload: 30 }),
    ]);
    const packets = ips.flatMap((ip, index) => fragmentsOf(ip, 16, index + 1));
    const path = await Deno.makeTempFile({ suffix: ".pcap" });
    try {
      await Deno.writeFile(path, pcapFile(packets.map((bytes) => ({ bytes }))));
      const fields = ["-Y", "tcp", "-T", "fields", "-e", "tcp.seq_raw", "-e", "tcp.len"];
      const { stdout } = await run(["tshark", "-r", path, ...fields]);
      assertEquals(
        stdout.trim().split("\n"),
        decodeAll(packets).seen.map(({ seq, length }) => `${seq}\t${length}`),
      );
    } finally {
      await Deno.remove(path);
    }
  },
});
