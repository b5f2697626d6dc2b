/** Decoding TCP segments, which a trace does for every packet. */
import { Packet } from "../../src/trace/decode/packet.ts";
import { Decoder } from "../../src/trace/decode/decoder.ts";
import { Segment } from "../../src/trace/decode/segment.ts";

/** LINKTYPE_RAW: a packet begins with its IP header. */
const RAW = 101;

/** A SYN over IPv4 with the options of Linux. */
const SYN_V4 =
  "4500003c1c4640004006000 07f0000017f000001d4311b58000000010000000 0a002ffd7fe300000" +
  "0204ffd70402080a0000000100000000 01030307";

/** A data segment over IPv6, without options. */
const DATA_V6 = "6000000000190640" + "0".repeat(31) + "1" + "0".repeat(31) + "1" +
  "1b58d43100000001000000025018020000000000" + "68656c6c6f";

for (const [name, hex] of [["a SYN over IPv4", SYN_V4], ["data over IPv6", DATA_V6]] as const) {
  const bytes = Uint8Array.fromHex(hex.replaceAll(" ", ""));
  const packet = new Packet();
  packet.view = new DataView(bytes.buffer);
  packet.end = bytes.length;
  packet.link = RAW;
  const segment = new Segment();
  const decoder = new Decoder();
  if (decoder.decode(packet, segment) !== "tcp") throw new Error(`${name} is not read as TCP`);
  Deno.bench(`decodes ${name}`, { group: "segment" }, () => void decoder.decode(packet, segment));
  Deno.bench(`decodes ${name}, and its options`, { group: "segment" }, () => {
    decoder.decode(packet, segment);
    void segment.options;
  });
}
