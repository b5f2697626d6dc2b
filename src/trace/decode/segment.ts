/**
 * The decoder: from a packet to the TCP segment in it, or to the ICMP error about one.
 *
 * @module
 */
import { isIcmpError } from "./icmp.ts";
import { Datagram, decodeInternet, type Undecodable } from "./internet.ts";
import { CUT_SHORT, networkOffset, NOT_IP, UNKNOWN_LINK } from "./link.ts";
import type { Packet } from "./packet.ts";
import { readTcpOptions, type TcpOptions } from "./tcp_options.ts";
import { TunnelPath } from "./tunnel_path.ts";

/** The FIN control bit of RFC 9293, section 3.1. */
export const FIN = 0x01;
/** The SYN control bit. */
export const SYN = 0x02;
/** The RST control bit. */
export const RST = 0x04;
/** The PSH control bit. */
export const PSH = 0x08;
/** The ACK control bit. */
export const ACK = 0x10;
/** The ECE control bit of RFC 3168. */
export const ECE = 0x40;
/** The CWR control bit. */
export const CWR = 0x80;
/** The AE control bit of RFC 9768, which RFC 3540 had called NS. */
export const AE = 0x100;

/**
 * What a packet turned out to be: a TCP segment, an ICMP error that quotes one, or the reason why
 * neither could be read.
 */
export type Decoded = "tcp" | "icmp" | "other" | "unknown link" | Undecodable;

const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));

/**
 * One TCP segment, or one ICMP error about a segment. The decoder fills the same object again for
 * each packet, so that a million of them cost no memory.
 */
export class Segment extends Datagram {
  /** The port it comes from. */
  sourcePort = 0;
  /** The port it goes to. */
  destinationPort = 0;
  /** The sequence number of its first byte, or of its SYN. */
  seq = 0;
  /** The sequence number it expects next, where ACK is set. */
  ack = 0;
  /** The control bits. */
  flags = 0;
  /** The window as it stands in the header, not scaled. */
  window = 0;
  /** The checksum as it stands in the header, 0 where it was not captured. */
  checksum = 0;
  /** How many bytes of payload it carries, whether or not they were captured. */
  length = 0;
  /** When it was captured: whole seconds since 1970. */
  seconds = 0;
  /** When it was captured: the nanoseconds of that second. */
  nanoseconds = 0;
  /** When it was captured, in milliseconds since the origin of whoever tracks it. */
  at = 0;
  /** The interface it was seen on, 0 where that is unknown. */
  interface = 0;

  /** Through what it came: VLANs and tunnels. */
  readonly through: TunnelPath = new TunnelPath();

  /** An ICMP error's type and code; its addresses and ports are those of the segment it quotes. */
  icmpType = 0;
  /** See {@linkcode icmpType}. */
  icmpCode = 0;
  /** Who sent the ICMP error. */
  readonly reporter: Int32Array = new Int32Array(4);

  readonly #optionsPlace = { view: NO_BYTES, start: 0, captured: 0, end: 0 };

  /** Reads the options; valid until the next packet is asked for. */
  get options(): TcpOptions {
    const { view, start, captured, end } = this.#optionsPlace;
    const options = readTcpOptions(view, start, captured);
    if (captured < end) options.isCut = true;
    return options;
  }

  /** Remembers where the options lie, to read them only if someone asks. */
  setOptions(view: DataView, at: { start: number; captured: number; end: number }): void {
    const place = this.#optionsPlace;
    place.view = view;
    place.start = at.start;
    place.captured = at.captured;
    place.end = at.end;
  }
}

const PROTOCOL_TCP = 6;
const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMPV6 = 58;

/** Reads a packet into `segment` and says what it is. Never throws, whatever the bytes are. */
export function decodeSegment(packet: Packet, segment: Segment): Decoded {
  const network = networkOffset(packet);
  if (network < 0) return withoutNetwork(network);
  const failure = decodeInternet(packet.view, { start: network, end: packet.end }, segment);
  if (failure !== undefined) return failure;
  segment.seconds = packet.seconds;
  segment.nanoseconds = packet.nanoseconds;
  segment.interface = packet.interface;
  if (segment.protocol === PROTOCOL_TCP) return decodeTcp(packet.view, packet.end, segment);
  if (segment.protocol === PROTOCOL_ICMP || segment.protocol === PROTOCOL_ICMPV6) {
    return decodeQuoted(packet.view, packet.end, segment);
  }
  return "other";
}

function withoutNetwork(reason: number): Decoded {
  switch (reason) {
    case NOT_IP:
      return "other";
    case CUT_SHORT:
      return "short";
    case UNKNOWN_LINK:
    default:
      return "unknown link";
  }
}

/** The header of RFC 9293, section 3.1. A snapped one will do as long as its window is there. */
function decodeTcp(view: DataView, end: number, segment: Segment): Decoded {
  const at = segment.transport;
  if (at + 16 > end) return "short";
  const headerLength = (view.getUint8(at + 12) >> 4) * 4;
  const length = segment.datagramEnd - at - headerLength;
  if (headerLength < 20 || length < 0) return "malformed";
  segment.sourcePort = view.getUint16(at);
  segment.destinationPort = view.getUint16(at + 2);
  segment.seq = view.getUint32(at + 4);
  segment.ack = view.getUint32(at + 8);
  segment.flags = view.getUint16(at + 12) & 0x1ff;
  segment.window = view.getUint16(at + 14);
  segment.checksum = at + 18 <= end ? view.getUint16(at + 16) : 0;
  segment.length = length;
  const optionsEnd = at + headerLength;
  segment.setOptions(view, {
    start: at + 20,
    captured: Math.min(optionsEnd, end),
    end: optionsEnd,
  });
  return "tcp";
}

/** An ICMP error, and the addresses, ports and sequence number of the TCP segment it quotes. */
function decodeQuoted(view: DataView, end: number, segment: Segment): Decoded {
  const at = segment.transport;
  if (at + 8 > end) return "short";
  const type = view.getUint8(at);
  const isVersion6 = segment.protocol === PROTOCOL_ICMPV6;
  if (!isIcmpError({ type, isVersion6 })) return "other";
  segment.icmpType = type;
  segment.icmpCode = view.getUint8(at + 1);
  segment.reporter.set(segment.addresses.subarray(0, 4));

  const failure = decodeInternet(view, { start: at + 8, end }, segment);
  if (failure !== undefined) return failure;
  if (segment.protocol !== PROTOCOL_TCP) return "other";
  // RFC 792 promises eight bytes of what it quotes: the ports and the sequence number.
  if (segment.transport + 8 > end) return "short";
  segment.sourcePort = view.getUint16(segment.transport);
  segment.destinationPort = view.getUint16(segment.transport + 2);
  segment.seq = view.getUint32(segment.transport + 4);
  segment.length = segment.flags = segment.ack = 0;
  return "icmp";
}
