/**
 * Link-layer headers by capture link type.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

/** Reads the header of a link type (<https://www.tcpdump.org/linktypes.html>). */
export function readLink(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case 1:
      return "ethernet";
    case 113:
      return packet.has(16) ? skipToEtherType(packet, { at: 14, length: 16 }) : packet.missing(16);
    case 276:
      return readLinuxSll2(packet);
    case 0:
    case 108:
      return readBsdLoopback(packet);
    case 12: // LINKTYPE_RAW on some systems
    case 14: // LINKTYPE_RAW on OpenBSD
    case 101:
    case 228:
    case 229:
      return "ip";
    default:
      return readPointToPoint(packet);
  }
}

function readPointToPoint(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case 9:
    case 50:
      return readHdlc(packet);
    case 51: // PPPoE without the Ethernet header
      return packet.skip(0, { layer: "EtherType", next: 0x8864 });
    case 104:
      return packet.has(4) ? skipToEtherType(packet, { at: 2, length: 4 }) : packet.missing(4);
    case 166: // pppd replaces the HDLC address by a direction
      return packet.has(2) && packet.view.getUint8(packet.offset + 1) === 3
        ? packet.skip(2, { layer: "ppp", next: 0 })
        : "ppp";
    case 204:
      packet.offset += 1;
      return readHdlc(packet);
    case 205:
      return packet.has(5) ? skipToEtherType(packet, { at: 3, length: 5 }) : packet.missing(5);
    default:
      return readOther(packet);
  }
}

function readOther(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case 100: // ATM, RFC 2684
      return "802.2";
    case 105:
    case 119:
    case 127:
    case 163:
      return "802.11";
    case 138: // IP over IEEE 1394
      return packet.has(18) ? skipToEtherType(packet, { at: 16, length: 18 }) : packet.missing(18);
    case 192:
      return readPpi(packet);
    case 219:
      return "mpls";
    case 239:
      return readNflog(packet);
    case 242:
      return readInfiniband(packet);
    default:
      return packet.undecoded("link type", packet.nextProtocol);
  }
}

/** Skips a header of `length` bytes that holds an EtherType at `at`. */
function skipToEtherType(
  packet: Dissection,
  { at, length }: { at: number; length: number },
): Layer {
  return packet.skip(length, {
    layer: "EtherType",
    next: packet.view.getUint16(packet.offset + at),
  });
}

/** LINKTYPE_LINUX_SLL2, written by `tcpdump -i any`; it includes the interface index. */
function readLinuxSll2(packet: Dissection): Layer {
  if (!packet.has(20)) return packet.missing(20);
  packet.interface = packet.view.getUint32(packet.offset + 4);
  return skipToEtherType(packet, { at: 0, length: 20 });
}

/** BSD loopback (LINKTYPE_NULL): an address family in the byte order of the capturing host. */
function readBsdLoopback(packet: Dissection): Layer {
  if (!packet.has(4)) return packet.missing(4);
  const family = packet.view.getUint8(packet.offset) || packet.view.getUint8(packet.offset + 3);
  packet.offset += 4;
  return isIpFamily(family) ? "ip" : packet.undecoded("link type", 0);
}

function isIpFamily(family: number): boolean {
  return family === 2 || family === 10 || family === 24 || family === 28 || family === 30;
}

/** HDLC framing: PPP (RFC 1662), or Cisco HDLC with an EtherType. */
function readHdlc(packet: Dissection): Layer {
  if (!packet.has(4)) return packet.missing(4);
  const address = packet.view.getUint8(packet.offset);
  const isCisco = (address === 0x0f || address === 0x8f) &&
    packet.view.getUint8(packet.offset + 1) === 0;
  return isCisco ? skipToEtherType(packet, { at: 2, length: 4 }) : "ppp";
}

/** PPI: a header with its own length and the link type that follows. */
function readPpi(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const length = packet.view.getUint16(packet.offset + 2, true);
  if (length < 8) return packet.undecoded("malformed");
  return packet.skip(length, {
    layer: "link",
    next: packet.view.getUint32(packet.offset + 4, true),
  });
}

const NFLOG_INTERFACE_IN = 4;
const NFLOG_INTERFACE_OUT = 5;
const NFLOG_PAYLOAD = 9;

/** NFLOG: attributes in host byte order, one of which holds the datagram. */
function readNflog(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const { view } = packet;
  const family = view.getUint8(packet.offset);
  packet.offset += 4;
  // Lengths and types are below 256, so the high byte of both is 0.
  const isLittle = view.getUint16(packet.offset + 2, true) < view.getUint16(packet.offset + 2);
  while (packet.has(4)) {
    const length = view.getUint16(packet.offset, isLittle);
    const type = view.getUint16(packet.offset + 2, isLittle) & 0x7fff;
    if (length < 4) return packet.undecoded("malformed");
    if (type === NFLOG_PAYLOAD) {
      packet.offset += 4;
      return family === 0 || isIpFamily(family) ? "ip" : packet.undecoded("link type", 239);
    }
    if ((type === NFLOG_INTERFACE_IN || type === NFLOG_INTERFACE_OUT) && packet.has(8)) {
      packet.interface = view.getUint32(packet.offset + 4);
    }
    packet.offset += length + (4 - length % 4) % 4;
  }
  return packet.missing(4);
}

const INFINIBAND_ROUTING_HEADER = 40;

/** IP over InfiniBand (RFC 4391, 6), with or without a global routing header. */
function readInfiniband(packet: Dissection): Layer {
  if (!packet.has(4)) return packet.missing(4);
  const type = packet.view.getUint16(packet.offset);
  const isBare = (type === 0x0800 || type === 0x86dd || type === 0x0806) &&
    packet.view.getUint16(packet.offset + 2) === 0;
  if (!isBare) packet.offset += INFINIBAND_ROUTING_HEADER;
  return packet.has(4) ? skipToEtherType(packet, { at: 0, length: 4 }) : packet.missing(4);
}
