/**
 * Decodes a packet down to its TCP segment, or to the segment quoted in an ICMP error.
 *
 * @module
 */
import { Dissection, type Layer } from "./dissection.ts";
import { readEthernet, readEtherType, readLlc, readMpls, readPpp } from "./ethernet.ts";
import { FragmentTable } from "./fragment_table.ts";
import { readIcmp, readIp, readProtocol } from "./ip.ts";
import { readLink } from "./link.ts";
import type { Packet } from "./packet.ts";
import { type Decoded, FIN, type Segment, SYN } from "./segment.ts";
import { advance } from "./sequence.ts";
import { MAX_TUNNELS } from "./tunnel_path.ts";
import { readGre, readUdp } from "./tunnels.ts";
import { UndecodedCounts } from "./undecoded.ts";
import { readWireless } from "./wireless.ts";

/** Maximum number of headers per packet. */
const MAX_LAYERS = 48;

/** Finds TCP segments in packets, through any encapsulation, and counts the other packets. */
export class Decoder {
  /** Counts of the packets that hold no TCP segment. */
  readonly undecoded: UndecodedCounts = new UndecodedCounts();
  readonly #dissection = new Dissection();
  readonly #fragments = new FragmentTable((packets, { kind, number }) =>
    this.undecoded.add(kind, number, packets)
  );

  /** Decodes a packet into `segment`. Never throws. */
  decode(packet: Packet, segment: Segment): Decoded {
    const dissection = this.#dissection;
    initialise(dissection, packet, segment);
    const decoded = this.#dissect(dissection, segment);
    if (decoded !== "undecoded") copyPacketFields(segment, dissection, packet);
    return decoded;
  }

  /** Ends the capture: incomplete fragments are counted and discarded. */
  finish(): void {
    this.#fragments.finish();
  }

  #dissect(dissection: Dissection, segment: Segment): Decoded {
    let layer: Layer = "link";
    for (let layers = 0;; layers += 1) {
      switch (layer) {
        case "tcp":
          return this.#readSegment(dissection, segment);
        case "tcp remainder":
          return this.#readRemainder(dissection, segment);
        case "quoted tcp":
          return this.#readQuoted(dissection, segment);
        case "held fragment":
          return "undecoded";
        case "undecoded":
          return this.#countUndecoded(dissection);
      }
      const isTooDeep = layers >= MAX_LAYERS || dissection.tunnels.length >= MAX_TUNNELS;
      layer = isTooDeep ? dissection.undecoded("nested") : this.#readLayer(layer, dissection);
    }
  }

  #readLayer(layer: Layer, dissection: Dissection): Layer {
    switch (layer) {
      case "link":
        return readLink(dissection);
      case "ethernet":
        return readEthernet(dissection);
      case "EtherType":
        return readEtherType(dissection);
      case "ip":
        return readIp(dissection, this.#fragments);
      case "IP protocol":
        return readProtocol(dissection);
      case "udp":
        return readUdp(dissection);
      case "gre":
        return readGre(dissection);
      case "icmp":
        return readIcmp(dissection);
      case "802.2":
        return readLlc(dissection);
      case "mpls":
        return readMpls(dissection);
      case "ppp":
        return readPpp(dissection);
      case "802.11":
        return readWireless(dissection);
      default:
        return layer;
    }
  }

  #readSegment(dissection: Dissection, segment: Segment): Decoded {
    if (readTcp(dissection, segment) === "undecoded") return this.#countUndecoded(dissection);
    if (dissection.fragment === "none") return "tcp";
    const isFirst = dissection.fragment === "first" &&
      this.#fragments.isSegmentOfDatagram(dissection);
    // The FIN follows the last byte, which is in a later fragment.
    if (isFirst) segment.flags &= ~FIN;
    const { seq, length } = segment;
    this.#fragments.setResult(isFirst ? { what: "segment", seq, length } : { what: "decoded" });
    return "tcp";
  }

  #readRemainder(dissection: Dissection, segment: Segment): Decoded {
    const { seq, length } = this.#fragments.firstPart;
    if (readTcp(dissection, segment) === "undecoded") return this.#countUndecoded(dissection);
    segment.isRemainder = true;
    segment.seq = advance(seq, length + ((segment.flags & SYN) === 0 ? 0 : 1));
    segment.flags &= ~SYN;
    segment.length -= length;
    this.#fragments.setResult({ what: "decoded" });
    return "tcp";
  }

  /** ICMP quotes at least eight bytes of the segment (RFC 792): ports and sequence number. */
  #readQuoted(dissection: Dissection, segment: Segment): Decoded {
    if (!dissection.has(8)) {
      dissection.missing(8);
      return this.#countUndecoded(dissection);
    }
    readPorts(dissection, segment);
    segment.length = segment.flags = segment.ack = 0;
    segment.icmpType = dissection.icmpType;
    segment.icmpCode = dissection.icmpCode;
    segment.icmpSource.set(dissection.icmpSource);
    if (dissection.fragment !== "none") this.#fragments.setResult({ what: "decoded" });
    return "icmp";
  }

  #countUndecoded(dissection: Dissection): Decoded {
    if (dissection.isInIcmpError) dissection.undecoded("ICMP error");
    const { undecodedKind, undecodedNumber } = dissection;
    // A header that continues in the next fragment is not malformed.
    const isIncomplete = dissection.fragment === "first" && undecodedKind === "malformed";
    if (dissection.fragment !== "none") {
      this.#fragments.setResult(
        isIncomplete ? undefined : { what: "other", kind: undecodedKind, number: undecodedNumber },
      );
    }
    if (!isIncomplete) this.undecoded.add(undecodedKind, undecodedNumber);
    return "undecoded";
  }
}

function initialise(dissection: Dissection, packet: Packet, segment: Segment): void {
  dissection.view = packet.view;
  dissection.offset = packet.start;
  dissection.end = packet.end;
  dissection.wireEnd = packet.start + Math.max(packet.originalLength, packet.end - packet.start);
  dissection.nextProtocol = packet.link;
  dissection.interface = packet.interface;
  dissection.seconds = packet.seconds;
  dissection.ipHeaders = 0;
  dissection.fragment = "none";
  dissection.isInIcmpError = false;
  dissection.addresses = segment.addresses;
  dissection.tunnels = segment.tunnels;
  dissection.tunnels.clear();
  segment.isRemainder = false;
}

function copyPacketFields(segment: Segment, dissection: Dissection, packet: Packet): void {
  segment.hopLimit = dissection.hopLimit;
  segment.flowLabel = dissection.flowLabel;
  segment.identification = dissection.identification;
  segment.seconds = packet.seconds;
  segment.nanoseconds = packet.nanoseconds;
  segment.interface = dissection.interface;
}

/** Reads a TCP header (RFC 9293, 3.1). A truncated one needs at least its first 16 bytes. */
function readTcp(dissection: Dissection, segment: Segment): Layer {
  if (!dissection.has(16)) return dissection.missing(16);
  const { view, offset, end } = dissection;
  const headerLength = (view.getUint8(offset + 12) >> 4) * 4;
  const length = dissection.wireEnd - offset - headerLength;
  if (headerLength < 20 || length < 0) return dissection.undecoded("malformed");
  readPorts(dissection, segment);
  segment.ack = view.getUint32(offset + 8);
  segment.flags = view.getUint16(offset + 12) & 0x1ff;
  segment.window = view.getUint16(offset + 14);
  segment.checksum = dissection.has(18) ? view.getUint16(offset + 16) : 0;
  segment.length = length;
  const optionsEnd = offset + headerLength;
  segment.setOptions(view, {
    start: offset + 20,
    captured: Math.min(optionsEnd, end),
    end: optionsEnd,
  });
  return "tcp";
}

function readPorts({ view, offset }: Dissection, segment: Segment): void {
  segment.sourcePort = view.getUint16(offset);
  segment.destinationPort = view.getUint16(offset + 2);
  segment.seq = view.getUint32(offset + 4);
}
