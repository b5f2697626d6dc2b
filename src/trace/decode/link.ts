/**
 * The link layer: where the IP header begins.
 *
 * @module
 */
import type { Packet } from "./packet.ts";

/** What {@linkcode networkOffset} says of a packet that carries something other than IP. */
export const NOT_IP: number = -1;
/** What {@linkcode networkOffset} says of a link type it does not know. */
export const UNKNOWN_LINK: number = -2;
/** What {@linkcode networkOffset} says of a packet that ends inside its link header. */
export const CUT_SHORT: number = -3;

const LINK_NULL = 0;
const LINK_ETHERNET = 1;
const LINK_RAW = 101;
const LINK_LOOP = 108;
const LINK_LINUX_COOKED = 113;
const LINK_IPV4 = 228;
const LINK_IPV6 = 229;
const LINK_LINUX_COOKED_2 = 276;

const TYPE_IPV4 = 0x0800;
const TYPE_IPV6 = 0x86dd;
const TYPE_VLAN = 0x8100;
const TYPE_PROVIDER_VLAN = 0x88a8;
const TYPE_OLD_PROVIDER_VLAN = 0x9100;

/**
 * Where the IP header of a packet begins in its buffer, by the link types of
 * <https://www.tcpdump.org/linktypes.html>; a negative number says why there is none.
 */
export function networkOffset(packet: Packet): number {
  switch (packet.link) {
    case LINK_ETHERNET:
      return afterEtherType(packet, packet.start + 12);
    case LINK_LINUX_COOKED:
      return afterEtherType(packet, packet.start + 14);
    case LINK_LINUX_COOKED_2:
      return afterCookedHeader(packet);
    case LINK_NULL:
    case LINK_LOOP:
      return afterFamily(packet);
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
    case 12: // DLT_RAW as some systems number it
    case 14: // and OpenBSD
      return packet.start < packet.end ? packet.start : CUT_SHORT;
    default:
      return UNKNOWN_LINK;
  }
}

/** IEEE 802.3 and 802.1Q: an EtherType, behind any number of VLAN tags. */
function afterEtherType({ view, end }: Packet, from: number): number {
  for (let at = from; at + 2 <= end; at += 4) {
    const type = view.getUint16(at);
    if (type === TYPE_IPV4 || type === TYPE_IPV6) return at + 2;
    if (!isVlan(type)) return NOT_IP;
  }
  return CUT_SHORT;
}

function isVlan(type: number): boolean {
  return type === TYPE_VLAN || type === TYPE_PROVIDER_VLAN || type === TYPE_OLD_PROVIDER_VLAN;
}

/** LINKTYPE_LINUX_SLL2 is what `tcpdump -i any` writes; it tells the interface, too. */
function afterCookedHeader(packet: Packet): number {
  const { view, start, end } = packet;
  if (start + 20 > end) return CUT_SHORT;
  packet.interface = view.getUint32(start + 4);
  const type = view.getUint16(start);
  if (type === TYPE_IPV4 || type === TYPE_IPV6) return start + 20;
  // A VLAN's tag lies behind the header, and the EtherType behind its two bytes.
  return isVlan(type) ? afterEtherType(packet, start + 22) : NOT_IP;
}

/** BSD loopback: an address family in the byte order of whoever captured it. */
function afterFamily({ view, start, end }: Packet): number {
  if (start + 4 > end) return CUT_SHORT;
  const family = view.getUint8(start) || view.getUint8(start + 3);
  const isIp = family === 2 || family === 10 || family === 24 || family === 28 || family === 30;
  return isIp ? start + 4 : NOT_IP;
}
