/**
 * The decoder: from a packet to the TCP segment in it, or to the ICMP error about one.
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
import { advanced } from "./sequence.ts";
import { MOST_WRAPPINGS } from "./tunnel_path.ts";
import { readGre, readUdp } from "./tunnels.ts";
import { UndecodedCounts } from "./undecoded.ts";
import { readWireless } from "./wireless.ts";

/** No packet is followed through more headers than this. */
const MOST_LAYERS = 48;

/** Finds the TCP segments in packets, through whatever wraps them, and counts what is none. */
export class Decoder {
  /** What the other packets are. */
  readonly undecoded: UndecodedCounts = new UndecodedCounts();
  readonly #c = new Dissection();
  readonly #fragments = new FragmentTable((packets, { kind, number }) =>
    this.undecoded.add(kind, number, packets)
  );

  /** Reads a packet into `segment` and says what it is. Never throws, whatever the bytes are. */
  decode(packet: Packet, segment: Segment): Decoded {
    const c = this.#c;
    begin(c, packet, segment);
    const decoded = this.#read(c, segment);
    if (decoded !== "undecoded") fill(segment, c, packet);
    return decoded;
  }

  /** Says that no packet will come: fragments that wait for others are given up. */
  finish(): void {
    this.#fragments.finish();
  }

  #read(c: Dissection, segment: Segment): Decoded {
    let layer: Layer = "link";
    for (let layers = 0;; layers += 1) {
      switch (layer) {
        case "tcp":
          return this.#readSegment(c, segment);
        case "rest of tcp":
          return this.#readRest(c, segment);
        case "quoted tcp":
          return this.#readQuoted(c, segment);
        case "kept":
          return "undecoded";
        case "undecoded":
          return this.#count(c);
      }
      const isTooDeep = layers >= MOST_LAYERS || c.through.length >= MOST_WRAPPINGS;
      layer = isTooDeep ? c.undecoded("nested") : this.#next(layer, c);
    }
  }

  #next(layer: Layer, c: Dissection): Layer {
    switch (layer) {
      case "link":
        return readLink(c);
      case "ethernet":
        return readEthernet(c);
      case "EtherType":
        return readEtherType(c);
      case "ip":
        return readIp(c, this.#fragments);
      case "IP protocol":
        return readProtocol(c);
      case "udp":
        return readUdp(c);
      case "gre":
        return readGre(c);
      case "icmp":
        return readIcmp(c);
      case "802.2":
        return readLlc(c);
      case "mpls":
        return readMpls(c);
      case "ppp":
        return readPpp(c);
      case "802.11":
        return readWireless(c);
      default:
        return layer;
    }
  }

  #readSegment(c: Dissection, segment: Segment): Decoded {
    if (readTcp(c, segment) === "undecoded") return this.#count(c);
    if (c.fragment === "none") return "tcp";
    const isFirst = c.fragment === "first" && this.#fragments.isOwnSegment(c);
    // The FIN stands behind the last byte, which has not come.
    if (isFirst) segment.flags &= ~FIN;
    const { seq, length } = segment;
    this.#fragments.note(isFirst ? { what: "segment", seq, length } : { what: "read" });
    return "tcp";
  }

  #readRest(c: Dissection, segment: Segment): Decoded {
    const { seq, length } = this.#fragments.told;
    if (readTcp(c, segment) === "undecoded") return this.#count(c);
    segment.isRest = true;
    segment.seq = advanced(seq, length + ((segment.flags & SYN) === 0 ? 0 : 1));
    segment.flags &= ~SYN;
    segment.length -= length;
    this.#fragments.note({ what: "read" });
    return "tcp";
  }

  /** RFC 792 promises eight bytes of what it quotes: the ports and the sequence number. */
  #readQuoted(c: Dissection, segment: Segment): Decoded {
    if (!c.has(8)) {
      c.missing(8);
      return this.#count(c);
    }
    readPorts(c, segment);
    segment.length = segment.flags = segment.ack = 0;
    segment.icmpType = c.icmpType;
    segment.icmpCode = c.icmpCode;
    segment.reporter.set(c.reporter);
    if (c.fragment !== "none") this.#fragments.note({ what: "read" });
    return "icmp";
  }

  #count(c: Dissection): Decoded {
    if (c.isQuoted) c.undecoded("ICMP error");
    const { kind, number } = c;
    // A header that goes on in the next fragment is not malformed.
    const isOpen = c.fragment === "first" && kind === "malformed";
    if (c.fragment !== "none") {
      this.#fragments.note(isOpen ? undefined : { what: "other", kind, number });
    }
    if (!isOpen) this.undecoded.add(kind, number);
    return "undecoded";
  }
}

function begin(c: Dissection, packet: Packet, segment: Segment): void {
  c.view = packet.view;
  c.at = packet.start;
  c.end = packet.end;
  c.wireEnd = packet.start + Math.max(packet.originalLength, packet.end - packet.start);
  c.next = packet.link;
  c.interface = packet.interface;
  c.seconds = packet.seconds;
  c.datagrams = 0;
  c.fragment = "none";
  c.isQuoted = false;
  c.addresses = segment.addresses;
  c.through = segment.through;
  c.through.clear();
  segment.isRest = false;
}

function fill(segment: Segment, c: Dissection, packet: Packet): void {
  segment.hopLimit = c.hopLimit;
  segment.flowLabel = c.flowLabel;
  segment.identification = c.identification;
  segment.seconds = packet.seconds;
  segment.nanoseconds = packet.nanoseconds;
  segment.interface = c.interface;
}

/** The header of RFC 9293, section 3.1. A snapped one will do as long as its window is there. */
function readTcp(c: Dissection, segment: Segment): Layer {
  if (!c.has(16)) return c.missing(16);
  const { view, at, end } = c;
  const headerLength = (view.getUint8(at + 12) >> 4) * 4;
  const length = c.wireEnd - at - headerLength;
  if (headerLength < 20 || length < 0) return c.undecoded("malformed");
  readPorts(c, segment);
  segment.ack = view.getUint32(at + 8);
  segment.flags = view.getUint16(at + 12) & 0x1ff;
  segment.window = view.getUint16(at + 14);
  segment.checksum = c.has(18) ? view.getUint16(at + 16) : 0;
  segment.length = length;
  const optionsEnd = at + headerLength;
  segment.setOptions(view, {
    start: at + 20,
    captured: Math.min(optionsEnd, end),
    end: optionsEnd,
  });
  return "tcp";
}

function readPorts({ view, at }: Dissection, segment: Segment): void {
  segment.sourcePort = view.getUint16(at);
  segment.destinationPort = view.getUint16(at + 2);
  segment.seq = view.getUint32(at + 4);
}
