/**
 * Ethernet and what comes by EtherType: VLANs, 802.2, MPLS, PPPoE, provider backbones.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

const LONGEST_LENGTH = 1500;
const COOKED_802_2 = 0x0004;

/** IEEE 802.3: two addresses and an EtherType, or a length. */
export function readEthernet(c: Dissection): Layer {
  if (!c.has(14)) return c.missing(14);
  c.next = c.view.getUint16(c.at + 12);
  c.at += 14;
  return "EtherType";
}

/** What an EtherType stands for. */
export function readEtherType(c: Dissection): Layer {
  switch (c.next) {
    case 0x0800:
    case 0x86dd:
      return "ip";
    case 0x8100: // 802.1Q
    case 0x88a8: // 802.1ad
    case 0x9100: // older names of it
    case 0x9200:
      return readVlanTag(c);
    case 0x8847:
    case 0x8848:
      return "mpls";
    case 0x8864:
      return readPppoe(c);
    case 0x88e7:
      return readBackboneTag(c);
    case 0x6558: // transparent Ethernet bridging
      return "ethernet";
    case 0x880b:
      return "ppp";
    case 0x883e: // WCCP: four bytes of its own, then IPv4
      return c.behind(4, { layer: "ip", next: 0 });
    case COOKED_802_2:
      return "802.2";
    default:
      return c.next <= LONGEST_LENGTH ? "802.2" : c.undecoded("EtherType", c.next);
  }
}

function readVlanTag(c: Dissection): Layer {
  if (!c.has(4)) return c.missing(4);
  const identifier = c.view.getUint16(c.at) & 0x0fff;
  // VLAN 0 is a priority without a VLAN.
  if (identifier !== 0) c.through.enter("VLAN", identifier);
  return c.behind(4, { layer: "EtherType", next: c.view.getUint16(c.at + 2) });
}

/** IEEE 802.1ah: a whole frame behind a service's number. */
function readBackboneTag(c: Dissection): Layer {
  if (!c.has(4)) return c.missing(4);
  c.through.enter("802.1ah", c.view.getUint32(c.at) & 0xffffff);
  return c.behind(4, { layer: "ethernet", next: 0 });
}

const SNAP = 0xaa;
const LLC_IP = 0x06;
const BRIDGED_ETHERNET = 7;

/** IEEE 802.2, and SNAP behind it. */
export function readLlc(c: Dissection): Layer {
  if (!c.has(3)) return c.missing(3);
  const { view, at } = c;
  const service = view.getUint8(at);
  if (service === LLC_IP) return c.behind(3, { layer: "ip", next: 0 });
  if (service !== SNAP) return c.undecoded("LLC SAP", service);
  if (!c.has(8)) return c.missing(8);
  const organization = view.getUint32(at + 2) & 0xffffff;
  const type = view.getUint16(at + 6);
  if (organization === 0x0080c2 && (type === 1 || type === BRIDGED_ETHERNET)) {
    return c.behind(8, { layer: "ethernet", next: 0 });
  }
  return c.behind(8, { layer: "EtherType", next: type });
}

/** PPPoE (RFC 2516): a session's number, then PPP. */
function readPppoe(c: Dissection): Layer {
  if (!c.has(6)) return c.missing(6);
  if (c.view.getUint8(c.at) !== 0x11) return c.undecoded("malformed");
  c.through.enter("PPPoE", c.view.getUint16(c.at + 2));
  return c.behind(6, { layer: "ppp", next: 0 });
}

/** PPP: HDLC's address and control may be left out, and the protocol's first byte, too (RFC 1661). */
export function readPpp(c: Dissection): Layer {
  if (c.has(2) && c.view.getUint16(c.at) === 0xff03) c.at += 2;
  if (!c.has(2)) return c.missing(2);
  const isShort = (c.view.getUint8(c.at) & 1) === 1;
  const protocol = isShort ? c.view.getUint8(c.at) : c.view.getUint16(c.at);
  c.at += isShort ? 1 : 2;
  switch (protocol) {
    case 0x0021:
    case 0x0057:
      return "ip";
    case 0x0281:
    case 0x0283:
      return "mpls";
    default:
      return c.undecoded("PPP protocol", protocol);
  }
}

/** MPLS (RFC 3032): labels down to the bottom of the stack. What comes behind it only its bits tell. */
export function readMpls(c: Dissection): Layer {
  let label: number;
  do {
    if (!c.has(4)) return c.missing(4);
    label = c.view.getUint32(c.at);
    c.at += 4;
  } while ((label & 0x100) === 0);
  // The bottom label is the service's; those above change from hop to hop.
  c.through.enter("MPLS", label >>> 12);
  if (!c.has(4)) return c.missing(4);
  const first = c.view.getUint8(c.at) >> 4;
  if (first === 4 || first === 6) return "ip";
  if (first === 1) return c.undecoded("pseudowire channel");
  // RFC 4448: a control word that begins with 0, or a frame at once.
  if (first === 0) c.at += 4;
  return "ethernet";
}
