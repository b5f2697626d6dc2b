/**
 * Ethernet, and what an EtherType can name: VLAN, 802.2, MPLS, PPPoE, 802.1ah.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

const MAX_802_3_LENGTH = 1500;
const LINUX_802_2 = 0x0004;

/** Ethernet header (IEEE 802.3): two addresses, then an EtherType or a length. */
export function readEthernet(packet: Dissection): Layer {
  if (!packet.has(14)) return packet.missing(14);
  packet.nextProtocol = packet.view.getUint16(packet.offset + 12);
  packet.offset += 14;
  return "EtherType";
}

/** Continues with the protocol that an EtherType names. */
export function readEtherType(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case 0x0800:
    case 0x86dd:
      return "ip";
    case 0x8100: // 802.1Q
    case 0x88a8: // 802.1ad
    case 0x9100: // older QinQ values
    case 0x9200:
      return readVlanTag(packet);
    case 0x8847:
    case 0x8848:
      return "mpls";
    case 0x8864:
      return readPppoe(packet);
    case 0x88e7:
      return readBackboneTag(packet);
    case 0x6558: // transparent Ethernet bridging
      return "ethernet";
    case 0x880b:
      return "ppp";
    case 0x883e: // WCCP: four bytes, then IPv4
      return packet.skip(4, { layer: "ip", next: 0 });
    case LINUX_802_2:
      return "802.2";
    default:
      return packet.nextProtocol <= MAX_802_3_LENGTH
        ? "802.2"
        : packet.undecoded("EtherType", packet.nextProtocol);
  }
}

function readVlanTag(packet: Dissection): Layer {
  if (!packet.has(4)) return packet.missing(4);
  const identifier = packet.view.getUint16(packet.offset) & 0x0fff;
  // VLAN 0 carries only a priority (802.1p).
  if (identifier !== 0) packet.tunnels.addNumbered("VLAN", identifier);
  return packet.skip(4, { layer: "EtherType", next: packet.view.getUint16(packet.offset + 2) });
}

/** 802.1ah backbone tag: a 24-bit service identifier (I-SID), then an Ethernet frame. */
function readBackboneTag(packet: Dissection): Layer {
  if (!packet.has(4)) return packet.missing(4);
  packet.tunnels.addNumbered("802.1ah", packet.view.getUint32(packet.offset) & 0xffffff);
  return packet.skip(4, { layer: "ethernet", next: 0 });
}

const SNAP = 0xaa;
const LLC_IP = 0x06;
const BRIDGED_ETHERNET = 7;

/** 802.2 LLC header, with SNAP if its SAP says so. */
export function readLlc(packet: Dissection): Layer {
  if (!packet.has(3)) return packet.missing(3);
  const { view, offset } = packet;
  const service = view.getUint8(offset);
  if (service === LLC_IP) return packet.skip(3, { layer: "ip", next: 0 });
  if (service !== SNAP) return packet.undecoded("LLC SAP", service);
  if (!packet.has(8)) return packet.missing(8);
  const organization = view.getUint32(offset + 2) & 0xffffff;
  const type = view.getUint16(offset + 6);
  if (organization === 0x0080c2 && (type === 1 || type === BRIDGED_ETHERNET)) {
    return packet.skip(8, { layer: "ethernet", next: 0 });
  }
  return packet.skip(8, { layer: "EtherType", next: type });
}

/** PPPoE session header (RFC 2516), then PPP. */
function readPppoe(packet: Dissection): Layer {
  if (!packet.has(6)) return packet.missing(6);
  if (packet.view.getUint8(packet.offset) !== 0x11) return packet.undecoded("malformed");
  packet.tunnels.addNumbered("PPPoE", packet.view.getUint16(packet.offset + 2));
  return packet.skip(6, { layer: "ppp", next: 0 });
}

/**
 * PPP header. HDLC address and control, and the high byte of the protocol, may be absent (RFC
 * 1661).
 */
export function readPpp(packet: Dissection): Layer {
  if (packet.has(2) && packet.view.getUint16(packet.offset) === 0xff03) packet.offset += 2;
  if (!packet.has(2)) return packet.missing(2);
  const isShort = (packet.view.getUint8(packet.offset) & 1) === 1;
  const protocol = isShort
    ? packet.view.getUint8(packet.offset)
    : packet.view.getUint16(packet.offset);
  packet.offset += isShort ? 1 : 2;
  switch (protocol) {
    case 0x0021:
    case 0x0057:
      return "ip";
    case 0x0281:
    case 0x0283:
      return "mpls";
    default:
      return packet.undecoded("PPP protocol", protocol);
  }
}

/** MPLS label stack (RFC 3032). The payload's first four bits tell its type. */
export function readMpls(packet: Dissection): Layer {
  let label: number;
  do {
    if (!packet.has(4)) return packet.missing(4);
    label = packet.view.getUint32(packet.offset);
    packet.offset += 4;
  } while ((label & 0x100) === 0);
  // The bottom label identifies the service; those above change at every hop.
  packet.tunnels.addNumbered("MPLS", label >>> 12);
  if (!packet.has(4)) return packet.missing(4);
  const first = packet.view.getUint8(packet.offset) >> 4;
  if (first === 4 || first === 6) return "ip";
  if (first === 1) return packet.undecoded("pseudowire channel");
  // Pseudowire control word, which starts with 0 (RFC 4448, 4.6).
  if (first === 0) packet.offset += 4;
  return "ethernet";
}
