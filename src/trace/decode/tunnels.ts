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

/** GRE (RFC 2784, RFC 2890), with ERSPAN in it, and PPTP's version 1 (RFC 2637). */
export function readGre(c: Dissection): Layer {
  if (!c.has(4)) return c.missing(4);
  const flags = c.view.getUint16(c.at);
  const type = c.view.getUint16(c.at + 2);
  const version = flags & 7;
  if (version === 1 && type === PPP) return readPptp(c, flags);
  if (version !== 0 || (flags & HAS_ROUTING) !== 0) return c.undecoded("GRE version", version);
  let length = 4;
  if ((flags & HAS_CHECKSUM) !== 0) length += 4;
  const key = length;
  if ((flags & HAS_KEY) !== 0) length += 4;
  if ((flags & HAS_SEQUENCE) !== 0) length += 4;
  if (!c.has(length)) return c.missing(length);
  if (type === 0) return c.undecoded("GRE keepalive");
  if ((flags & HAS_KEY) !== 0) c.through.enter("GRE", c.view.getUint32(c.at + key));
  else c.through.enterBetween("GRE", c.addresses);
  c.at += length;
  if (type === ERSPAN && (flags & HAS_SEQUENCE) === 0) return "ethernet";
  if (type === ERSPAN || type === ERSPAN_3) return readErspan(c);
  return c.behind(0, { layer: "EtherType", next: type });
}

function readPptp(c: Dissection, flags: number): Layer {
  c.through.enterBetween("PPTP", c.addresses);
  let length = 8;
  if ((flags & HAS_SEQUENCE) !== 0) length += 4;
  else return c.undecoded("GRE keepalive");
  if ((flags & HAS_ACKNOWLEDGEMENT) !== 0) length += 4;
  return c.behind(length, { layer: "ppp", next: 0 });
}

/** ERSPAN, types II and III (draft-foschiano-erspan): a session's number, then a whole frame. */
function readErspan(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const isType3 = c.view.getUint8(c.at) >> 4 === 2;
  if (isType3 && !c.has(12)) return c.missing(12);
  c.through.enter("ERSPAN", c.view.getUint16(c.at + 2) & 0x3ff);
  const hasPlatformHeader = isType3 && (c.view.getUint8(c.at + 11) & 1) === 1;
  const length = isType3 ? 12 : 8;
  return c.behind(hasPlatformHeader ? length + 8 : length, { layer: "ethernet", next: 0 });
}

/** A datagram of UDP, which its destination port may tell to be a tunnel's. */
export function readUdp(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const read = TUNNELS.get(c.view.getUint16(c.at + 2));
  if (read === undefined) return c.undecoded("IP protocol", 17);
  c.at += 8;
  // What is too short, or no tunnel's header, is any program's datagram; unless more of it comes.
  const layer = c.has(4) ? read(c) : undefined;
  if (layer === undefined && c.fragment === "first" && !c.has(4)) return c.missing(4);
  return layer ?? c.undecoded("IP protocol", 17);
}

/** Reads a tunnel's header, of which four bytes are there; `undefined` where it is none. */
type TunnelReader = (c: Dissection) => Layer | undefined;

const TUNNELS: ReadonlyMap<number, TunnelReader> = new Map([
  [2152, readGtp],
  [4789, readVxlan],
  [4790, readVxlanGpe],
  [6081, readGeneve],
  [6635, () => "mpls" as const],
  [8472, readVxlan], // Linux's own default
]);

/** The destination ports of UDP that tell a tunnel. */
export const TUNNEL_PORTS: readonly number[] = [...TUNNELS.keys()];

const VXLAN_HAS_IDENTIFIER = 0x08;

/** RFC 7348: a network's identifier, then a whole frame. */
function readVxlan(c: Dissection): Layer | undefined {
  if ((c.view.getUint8(c.at) & VXLAN_HAS_IDENTIFIER) === 0) return undefined;
  if (!c.has(8)) return c.missing(8);
  c.through.enter("VXLAN", c.view.getUint32(c.at + 4) >>> 8);
  return c.behind(8, { layer: "ethernet", next: 0 });
}

const GPE_HAS_PROTOCOL = 0x04;
const GPE_LAYERS: readonly (Layer | undefined)[] = [
  ...["ethernet", "ip", "ip", "ethernet", undefined, "mpls"] as const,
];

function readVxlanGpe(c: Dissection): Layer | undefined {
  const flags = c.view.getUint8(c.at);
  const protocol = (flags & GPE_HAS_PROTOCOL) === 0 ? 0 : c.view.getUint8(c.at + 3);
  const layer = GPE_LAYERS[protocol];
  if ((flags & VXLAN_HAS_IDENTIFIER) === 0 || layer === undefined) return undefined;
  if (!c.has(8)) return c.missing(8);
  c.through.enter("VXLAN", c.view.getUint32(c.at + 4) >>> 8);
  return c.behind(8, { layer, next: 0 });
}

/** RFC 8926: options, a network's identifier, and an EtherType. */
function readGeneve(c: Dissection): Layer | undefined {
  const version = c.view.getUint8(c.at) >> 6;
  if (version !== 0) return undefined;
  if (!c.has(8)) return c.missing(8);
  const length = 8 + (c.view.getUint8(c.at) & 0x3f) * 4;
  c.through.enter("Geneve", c.view.getUint32(c.at + 4) >>> 8);
  return c.behind(length, { layer: "EtherType", next: c.view.getUint16(c.at + 2) });
}

const GTP_DATA = 0xff;
const GTP_HAS_MORE = 0x07;
const GTP_HAS_EXTENSION = 0x04;

/** GTP-U (3GPP TS 29.281): a tunnel's end and, behind headers of a length they tell, a datagram. */
function readGtp(c: Dissection): Layer | undefined {
  const flags = c.view.getUint8(c.at);
  const isVersion1 = flags >> 4 === 3;
  if (!isVersion1) return undefined;
  if (!c.has(8)) return c.missing(8);
  if (c.view.getUint8(c.at + 1) !== GTP_DATA) return c.undecoded("GTP-U message");
  c.through.enter("GTP-U", c.view.getUint32(c.at + 4));
  c.at += 8;
  if ((flags & GTP_HAS_MORE) === 0) return "ip";
  if (!c.has(4)) return c.missing(4);
  let next = (flags & GTP_HAS_EXTENSION) === 0 ? 0 : c.view.getUint8(c.at + 3);
  c.at += 4;
  while (next !== 0) {
    if (!c.has(4)) return c.missing(4);
    const length = c.view.getUint8(c.at) * 4;
    if (length === 0) return c.undecoded("malformed");
    if (!c.has(length)) return c.missing(length);
    next = c.view.getUint8(c.at + length - 1);
    c.at += length;
  }
  return "ip";
}
