/**
 * Tunnels over IP: GRE, VXLAN, Geneve, GTP-U, MPLS over UDP.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";

const HAS_CHECKSUM = 0x8000;
const HAS_ROUTING = 0x4000;
const HAS_KEY = 0x2000;
const HAS_SEQUENCE = 0x1000;
const HAS_ACKNOWLEDGEMENT = 0x0080;

const ERSPAN = 0x88be;
const ERSPAN_3 = 0x22eb;
const PPP = 0x880b;

/** GRE (RFC 2784, RFC 2890), ERSPAN in GRE, and PPTP (GRE version 1, RFC 2637). */
export function readGre(packet: Dissection): Layer {
  if (!packet.has(4)) return packet.missing(4);
  const flags = packet.view.getUint16(packet.offset);
  const type = packet.view.getUint16(packet.offset + 2);
  const version = flags & 7;
  if (version === 1 && type === PPP) return readPptp(packet, flags);
  if (version !== 0 || (flags & HAS_ROUTING) !== 0) return packet.undecoded("GRE version", version);
  let length = 4;
  if ((flags & HAS_CHECKSUM) !== 0) length += 4;
  const key = length;
  if ((flags & HAS_KEY) !== 0) length += 4;
  if ((flags & HAS_SEQUENCE) !== 0) length += 4;
  if (!packet.has(length)) return packet.missing(length);
  if (type === 0) return packet.undecoded("GRE keepalive");
  if ((flags & HAS_KEY) !== 0) {
    packet.tunnels.addNumbered("GRE", packet.view.getUint32(packet.offset + key));
  } else packet.tunnels.addBetween("GRE", packet.addresses);
  packet.offset += length;
  if (type === ERSPAN && (flags & HAS_SEQUENCE) === 0) return "ethernet";
  if (type === ERSPAN || type === ERSPAN_3) return readErspan(packet);
  return packet.skip(0, { layer: "EtherType", next: type });
}

function readPptp(packet: Dissection, flags: number): Layer {
  packet.tunnels.addBetween("PPTP", packet.addresses);
  let length = 8;
  if ((flags & HAS_SEQUENCE) !== 0) length += 4;
  else return packet.undecoded("GRE keepalive");
  if ((flags & HAS_ACKNOWLEDGEMENT) !== 0) length += 4;
  return packet.skip(length, { layer: "ppp", next: 0 });
}

/** ERSPAN types II and III (draft-foschiano-erspan): a session ID, then an Ethernet frame. */
function readErspan(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const isType3 = packet.view.getUint8(packet.offset) >> 4 === 2;
  if (isType3 && !packet.has(12)) return packet.missing(12);
  packet.tunnels.addNumbered("ERSPAN", packet.view.getUint16(packet.offset + 2) & 0x3ff);
  const hasPlatformHeader = isType3 && (packet.view.getUint8(packet.offset + 11) & 1) === 1;
  const length = isType3 ? 12 : 8;
  return packet.skip(hasPlatformHeader ? length + 8 : length, { layer: "ethernet", next: 0 });
}

/** UDP, which holds a tunnel if the destination port is that of one. */
export function readUdp(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const read = TUNNELS.get(packet.view.getUint16(packet.offset + 2));
  if (read === undefined) return packet.undecoded("IP protocol", 17);
  packet.offset += 8;
  // Too short, or no tunnel header: counted as UDP, unless the header continues in a fragment.
  const layer = packet.has(4) ? read(packet) : undefined;
  if (layer === undefined && packet.fragment === "first" && !packet.has(4)) {
    return packet.missing(4);
  }
  return layer ?? packet.undecoded("IP protocol", 17);
}

/** Reads a tunnel header, of which four bytes are available; `undefined` if it is none. */
type TunnelReader = (packet: Dissection) => Layer | undefined;

const TUNNELS: ReadonlyMap<number, TunnelReader> = new Map([
  [2152, readGtp],
  [4789, readVxlan],
  [4790, readVxlanGpe],
  [6081, readGeneve],
  [6635, () => "mpls" as const],
  [8472, readVxlan], // Linux's default port
]);

/** UDP destination ports that are decoded as tunnels. */
export const TUNNEL_PORTS: readonly number[] = [...TUNNELS.keys()];

const VXLAN_HAS_IDENTIFIER = 0x08;

/** VXLAN (RFC 7348): a network identifier (VNI), then an Ethernet frame. */
function readVxlan(packet: Dissection): Layer | undefined {
  if ((packet.view.getUint8(packet.offset) & VXLAN_HAS_IDENTIFIER) === 0) return undefined;
  if (!packet.has(8)) return packet.missing(8);
  packet.tunnels.addNumbered("VXLAN", packet.view.getUint32(packet.offset + 4) >>> 8);
  return packet.skip(8, { layer: "ethernet", next: 0 });
}

const GPE_HAS_PROTOCOL = 0x04;
const GPE_LAYERS: readonly (Layer | undefined)[] = [
  ...["ethernet", "ip", "ip", "ethernet", undefined, "mpls"] as const,
];

function readVxlanGpe(packet: Dissection): Layer | undefined {
  const flags = packet.view.getUint8(packet.offset);
  const protocol = (flags & GPE_HAS_PROTOCOL) === 0 ? 0 : packet.view.getUint8(packet.offset + 3);
  const layer = GPE_LAYERS[protocol];
  if ((flags & VXLAN_HAS_IDENTIFIER) === 0 || layer === undefined) return undefined;
  if (!packet.has(8)) return packet.missing(8);
  packet.tunnels.addNumbered("VXLAN", packet.view.getUint32(packet.offset + 4) >>> 8);
  return packet.skip(8, { layer, next: 0 });
}

/** Geneve (RFC 8926): options, a network identifier (VNI) and an EtherType. */
function readGeneve(packet: Dissection): Layer | undefined {
  const version = packet.view.getUint8(packet.offset) >> 6;
  if (version !== 0) return undefined;
  if (!packet.has(8)) return packet.missing(8);
  const length = 8 + (packet.view.getUint8(packet.offset) & 0x3f) * 4;
  packet.tunnels.addNumbered("Geneve", packet.view.getUint32(packet.offset + 4) >>> 8);
  return packet.skip(length, {
    layer: "EtherType",
    next: packet.view.getUint16(packet.offset + 2),
  });
}

const GTP_DATA = 0xff;
const GTP_HAS_MORE = 0x07;
const GTP_HAS_EXTENSION = 0x04;

/** GTP-U (3GPP TS 29.281): a tunnel endpoint identifier (TEID), extension headers, then IP. */
function readGtp(packet: Dissection): Layer | undefined {
  const flags = packet.view.getUint8(packet.offset);
  const isVersion1 = flags >> 4 === 3;
  if (!isVersion1) return undefined;
  if (!packet.has(8)) return packet.missing(8);
  if (packet.view.getUint8(packet.offset + 1) !== GTP_DATA) {
    return packet.undecoded("GTP-U message");
  }
  packet.tunnels.addNumbered("GTP-U", packet.view.getUint32(packet.offset + 4));
  packet.offset += 8;
  if ((flags & GTP_HAS_MORE) === 0) return "ip";
  if (!packet.has(4)) return packet.missing(4);
  let next = (flags & GTP_HAS_EXTENSION) === 0 ? 0 : packet.view.getUint8(packet.offset + 3);
  packet.offset += 4;
  while (next !== 0) {
    if (!packet.has(4)) return packet.missing(4);
    const length = packet.view.getUint8(packet.offset) * 4;
    if (length === 0) return packet.undecoded("malformed");
    if (!packet.has(length)) return packet.missing(length);
    next = packet.view.getUint8(packet.offset + length - 1);
    packet.offset += length;
  }
  return "ip";
}
