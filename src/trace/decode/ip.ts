/**
 * IPv4 and IPv6 headers, and the protocols that they carry.
 *
 * @module
 */
import type { Dissection, Layer } from "./dissection.ts";
import type { FragmentTable } from "./fragment_table.ts";
import { isIcmpError } from "./icmp.ts";

const MAPPED_PREFIX = 0xffff;

const HOP_BY_HOP = 0;
const ICMP = 1;
const IPV4 = 4;
const TCP = 6;
const UDP = 17;
const IPV6 = 41;
const ROUTING = 43;
const FRAGMENT = 44;
const GRE = 47;
const AUTHENTICATION = 51;
const ICMPV6 = 58;
const DESTINATION_OPTIONS = 60;
const ETHER_IP = 97;
const MOBILITY = 135;
const MPLS = 137;
const HOST_IDENTITY = 139;
const SHIM6 = 140;
const ETHERNET = 143;

/** Reads an IPv4 (RFC 791) or IPv6 (RFC 8200) header. */
export function readIp(packet: Dissection, fragments: FragmentTable): Layer {
  if (!packet.has(1)) return packet.missing(1);
  const version = packet.view.getUint8(packet.offset) >> 4;
  if (version !== 4 && version !== 6) return packet.undecoded("malformed");
  packet.ipHeaders += 1;
  packet.isIpv6 = version === 6;
  return packet.isIpv6 ? readIpv6(packet, fragments) : readIpv4(packet, fragments);
}

function readIpv4(packet: Dissection, fragments: FragmentTable): Layer {
  if (!packet.has(20)) return packet.missing(20);
  const { view, offset: start, addresses } = packet;
  const headerLength = (view.getUint8(start) & 0x0f) * 4;
  // With TCP segmentation offload (TSO), the sender's own capture shows a total length of 0.
  const totalLength = view.getUint16(start + 2) || packet.wireEnd - start;
  if (headerLength < 20 || totalLength < headerLength) return packet.undecoded("malformed");
  addresses[0] =
    addresses[1] =
    addresses[4] =
    addresses[5] =
      0;
  addresses[2] = addresses[6] = MAPPED_PREFIX;
  addresses[3] = view.getInt32(start + 12);
  addresses[7] = view.getInt32(start + 16);
  packet.identification = view.getUint16(start + 4);
  packet.hopLimit = view.getUint8(start + 8);
  packet.flowLabel = 0;
  packet.setEnd(start + totalLength);
  packet.offset = start + headerLength;
  packet.nextProtocol = view.getUint8(start + 9);
  const fragment = view.getUint16(start + 6);
  if ((fragment & 0x3fff) === 0) return "IP protocol";
  return fragments.add(packet, {
    offset: (fragment & 0x1fff) * 8,
    hasMore: (fragment & 0x2000) !== 0,
    identification: packet.identification,
  });
}

function readIpv6(packet: Dissection, fragments: FragmentTable): Layer {
  if (!packet.has(40)) return packet.missing(40);
  const { view, offset: start, addresses } = packet;
  for (let word = 0; word < 8; word += 1) addresses[word] = view.getInt32(start + 8 + word * 4);
  packet.identification = 0;
  packet.hopLimit = view.getUint8(start + 7);
  packet.flowLabel = view.getUint32(start) & 0xfffff;
  const payloadLength = view.getUint16(start + 4);
  packet.offset = start + 40;
  packet.nextProtocol = view.getUint8(start + 6);
  if (payloadLength > 0) packet.setEnd(packet.offset + payloadLength);
  // A payload length of 0 means a jumbogram (with the hop-by-hop option) or segmentation offload.
  else if (packet.nextProtocol === HOP_BY_HOP) readJumboLength(packet);
  return skipExtensionHeaders(packet, fragments);
}

const JUMBO_PAYLOAD = 0xc2;
const PAD_1 = 0;

/** Reads the length of a jumbogram from its hop-by-hop option (RFC 2675). */
function readJumboLength(packet: Dissection): void {
  const { view, offset: start } = packet;
  if (!packet.has(8)) return;
  const end = Math.min(start + extensionLength(HOP_BY_HOP, view.getUint8(start + 1)), packet.end);
  for (let at = start + 2; at + 2 <= end;) {
    if (view.getUint8(at) === PAD_1) {
      at += 1;
      continue;
    }
    const length = view.getUint8(at + 1);
    if (view.getUint8(at) === JUMBO_PAYLOAD && length === 4 && at + 6 <= end) {
      return packet.setEnd(start + view.getUint32(at + 2));
    }
    at += 2 + length;
  }
}

function skipExtensionHeaders(packet: Dissection, fragments: FragmentTable): Layer {
  while (isExtension(packet.nextProtocol)) {
    if (!packet.has(8)) return packet.missing(8);
    const { view, offset, nextProtocol: protocol } = packet;
    if (protocol === AUTHENTICATION) packet.tunnels.addAuthenticationHeader();
    packet.skip(extensionLength(protocol, view.getUint8(offset + 1)), {
      layer: "IP protocol",
      next: view.getUint8(offset),
    });
    if (protocol !== FRAGMENT) continue;
    const fragment = view.getUint16(offset + 2);
    // An atomic fragment is a whole datagram (RFC 6946).
    if ((fragment & 0xfff9) === 0) continue;
    const layer = fragments.add(packet, {
      offset: fragment & 0xfff8,
      hasMore: (fragment & 1) === 1,
      identification: view.getUint32(offset + 4),
    });
    if (layer !== "IP protocol") return layer;
  }
  return "IP protocol";
}

function isExtension(protocol: number): boolean {
  switch (protocol) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case AUTHENTICATION:
    case DESTINATION_OPTIONS:
    case MOBILITY:
    case HOST_IDENTITY:
    case SHIM6:
      return true;
    default:
      return false;
  }
}

/** Length of an extension header in bytes (RFC 8200, 4; RFC 4302, 2.2). */
function extensionLength(protocol: number, units: number): number {
  if (protocol === FRAGMENT) return 8;
  if (protocol === AUTHENTICATION) return (units + 2) * 4;
  return (units + 1) * 8;
}

/** Continues with the protocol that an IP header names. */
export function readProtocol(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case TCP:
      return packet.isInIcmpError ? "quoted tcp" : "tcp";
    case ICMP:
    case ICMPV6:
      return "icmp";
    case UDP:
      return "udp";
    default:
      return readTunnelProtocol(packet);
  }
}

function readTunnelProtocol(packet: Dissection): Layer {
  switch (packet.nextProtocol) {
    case IPV4:
      packet.tunnels.addBetween(packet.isIpv6 ? "4in6" : "4in4", packet.addresses);
      return "ip";
    case IPV6:
      packet.tunnels.addBetween(packet.isIpv6 ? "6in6" : "6in4", packet.addresses);
      return "ip";
    case GRE:
      return "gre";
    case AUTHENTICATION:
      return skipAuthenticationHeader(packet);
    case ETHER_IP:
      packet.tunnels.addBetween("EtherIP", packet.addresses);
      return packet.skip(2, { layer: "ethernet", next: 0 });
    case MPLS:
      return "mpls";
    case ETHERNET:
      return "ethernet";
    default:
      return packet.undecoded("IP protocol", packet.nextProtocol);
  }
}

function skipAuthenticationHeader(packet: Dissection): Layer {
  if (!packet.has(12)) return packet.missing(12);
  packet.tunnels.addAuthenticationHeader();
  const { view, offset } = packet;
  return packet.skip(extensionLength(AUTHENTICATION, view.getUint8(offset + 1)), {
    layer: "IP protocol",
    next: view.getUint8(offset),
  });
}

/** Continues with the datagram that an ICMP error quotes; other ICMP messages hold no segment. */
export function readIcmp(packet: Dissection): Layer {
  if (!packet.has(8)) return packet.missing(8);
  const type = packet.view.getUint8(packet.offset);
  const isVersion6 = packet.nextProtocol === ICMPV6;
  if (packet.isInIcmpError || !isIcmpError({ type, isVersion6 })) {
    return packet.undecoded("IP protocol", packet.nextProtocol);
  }
  packet.isInIcmpError = true;
  packet.icmpType = type;
  packet.icmpCode = packet.view.getUint8(packet.offset + 1);
  packet.icmpSource.set(packet.addresses.subarray(0, 4));
  return packet.skip(8, { layer: "ip", next: 0 });
}
