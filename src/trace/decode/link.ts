/**
 * Link types of captures: what their packets begin with.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

/** Reads the header of a link type of <https://www.tcpdump.org/linktypes.html>. */
export function readLink(c: Dissection): Layer {
  switch (c.next) {
    case 1:
      return "ethernet";
    case 113:
      return c.has(16) ? typed(c, { at: 14, length: 16 }) : c.missing(16);
    case 276:
      return readCookedHeader(c);
    case 0:
    case 108:
      return readFamily(c);
    case 12: // LINKTYPE_RAW as some systems number it
    case 14: // and OpenBSD
    case 101:
    case 228:
    case 229:
      return "ip";
    default:
      return readPointToPoint(c);
  }
}

function readPointToPoint(c: Dissection): Layer {
  switch (c.next) {
    case 9:
    case 50:
      return readHdlc(c);
    case 51: // PPP over Ethernet, from its own header on
      return c.behind(0, { layer: "EtherType", next: 0x8864 });
    case 104:
      return c.has(4) ? typed(c, { at: 2, length: 4 }) : c.missing(4);
    case 166: // pppd puts the direction in the place of HDLC's address
      return c.has(2) && c.view.getUint8(c.at + 1) === 3
        ? c.behind(2, { layer: "ppp", next: 0 })
        : "ppp";
    case 204:
      c.at += 1;
      return readHdlc(c);
    case 205:
      return c.has(5) ? typed(c, { at: 3, length: 5 }) : c.missing(5);
    default:
      return readOther(c);
  }
}

function readOther(c: Dissection): Layer {
  switch (c.next) {
    case 100: // ATM, RFC 2684
      return "802.2";
    case 105:
    case 119:
    case 127:
    case 163:
      return "802.11";
    case 138: // IP over IEEE 1394
      return c.has(18) ? typed(c, { at: 16, length: 18 }) : c.missing(18);
    case 192:
      return readPerPacketInformation(c);
    case 219:
      return "mpls";
    case 239:
      return readNflog(c);
    case 242:
      return readInfiniband(c);
    default:
      return c.undecoded("link type", c.next);
  }
}

/** A header that names by an EtherType what comes behind it. */
function typed(c: Dissection, { at, length }: { at: number; length: number }): Layer {
  return c.behind(length, { layer: "EtherType", next: c.view.getUint16(c.at + at) });
}

/** LINKTYPE_LINUX_SLL2 is what `tcpdump -i any` writes; it tells the interface, too. */
function readCookedHeader(c: Dissection): Layer {
  if (!c.has(20)) return c.missing(20);
  c.interface = c.view.getUint32(c.at + 4);
  return typed(c, { at: 0, length: 20 });
}

/** BSD loopback: an address family in the byte order of whoever captured it. */
function readFamily(c: Dissection): Layer {
  if (!c.has(4)) return c.missing(4);
  const family = c.view.getUint8(c.at) || c.view.getUint8(c.at + 3);
  c.at += 4;
  return isIpFamily(family) ? "ip" : c.undecoded("link type", 0);
}

function isIpFamily(family: number): boolean {
  return family === 2 || family === 10 || family === 24 || family === 28 || family === 30;
}

/** HDLC-like framing: PPP's own (RFC 1662), or Cisco's, which has an EtherType. */
function readHdlc(c: Dissection): Layer {
  if (!c.has(4)) return c.missing(4);
  const address = c.view.getUint8(c.at);
  const isCisco = (address === 0x0f || address === 0x8f) && c.view.getUint8(c.at + 1) === 0;
  return isCisco ? typed(c, { at: 2, length: 4 }) : "ppp";
}

/** PPI: a header of the length that it tells, and the link type of what comes behind it. */
function readPerPacketInformation(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const length = c.view.getUint16(c.at + 2, true);
  if (length < 8) return c.undecoded("malformed");
  return c.behind(length, { layer: "link", next: c.view.getUint32(c.at + 4, true) });
}

const NFLOG_INTERFACE_IN = 4;
const NFLOG_INTERFACE_OUT = 5;
const NFLOG_PAYLOAD = 9;

/** NFLOG: attributes in the byte order of whoever captured them, one of which is the datagram. */
function readNflog(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const { view } = c;
  const family = view.getUint8(c.at);
  c.at += 4;
  // Attributes are short and there are few kinds of them, so the big byte of either number is 0.
  const isLittle = view.getUint16(c.at + 2, true) < view.getUint16(c.at + 2);
  while (c.has(4)) {
    const length = view.getUint16(c.at, isLittle);
    const type = view.getUint16(c.at + 2, isLittle) & 0x7fff;
    if (length < 4) return c.undecoded("malformed");
    if (type === NFLOG_PAYLOAD) {
      c.at += 4;
      return family === 0 || isIpFamily(family) ? "ip" : c.undecoded("link type", 239);
    }
    if ((type === NFLOG_INTERFACE_IN || type === NFLOG_INTERFACE_OUT) && c.has(8)) {
      c.interface = view.getUint32(c.at + 4);
    }
    c.at += length + (4 - length % 4) % 4;
  }
  return c.missing(4);
}

const INFINIBAND_ROUTING_HEADER = 40;

/** RFC 4391, section 6, behind a global routing header where a capture has one. */
function readInfiniband(c: Dissection): Layer {
  if (!c.has(4)) return c.missing(4);
  const type = c.view.getUint16(c.at);
  const isBare = (type === 0x0800 || type === 0x86dd || type === 0x0806) &&
    c.view.getUint16(c.at + 2) === 0;
  if (!isBare) c.at += INFINIBAND_ROUTING_HEADER;
  return c.has(4) ? typed(c, { at: 0, length: 4 }) : c.missing(4);
}
