/**
 * The internet layer: IPv4 and IPv6 headers, and what their protocol numbers stand for.
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
export function readIp(c: Dissection, fragments: FragmentTable): Layer {
  if (!c.has(1)) return c.missing(1);
  const version = c.view.getUint8(c.at) >> 4;
  if (version !== 4 && version !== 6) return c.undecoded("malformed");
  c.datagrams += 1;
  c.isVersion6 = version === 6;
  return c.isVersion6 ? readIpv6(c, fragments) : readIpv4(c, fragments);
}

function readIpv4(c: Dissection, fragments: FragmentTable): Layer {
  if (!c.has(20)) return c.missing(20);
  const { view, at: start, addresses } = c;
  const headerLength = (view.getUint8(start) & 0x0f) * 4;
  // Segmentation offload leaves a length of 0 in what the sender's own machine captures: the record
  // knows how long the packet was.
  const totalLength = view.getUint16(start + 2) || c.wireEnd - start;
  if (headerLength < 20 || totalLength < headerLength) return c.undecoded("malformed");
  addresses[0] =
    addresses[1] =
    addresses[4] =
    addresses[5] =
      0;
  addresses[2] = addresses[6] = MAPPED_PREFIX;
  addresses[3] = view.getInt32(start + 12);
  addresses[7] = view.getInt32(start + 16);
  c.identification = view.getUint16(start + 4);
  c.hopLimit = view.getUint8(start + 8);
  c.flowLabel = 0;
  c.endAt(start + totalLength);
  c.at = start + headerLength;
  c.next = view.getUint8(start + 9);
  const fragment = view.getUint16(start + 6);
  if ((fragment & 0x3fff) === 0) return "IP protocol";
  return fragments.add(c, {
    offset: (fragment & 0x1fff) * 8,
    hasMore: (fragment & 0x2000) !== 0,
    identification: c.identification,
  });
}

function readIpv6(c: Dissection, fragments: FragmentTable): Layer {
  if (!c.has(40)) return c.missing(40);
  const { view, at: start, addresses } = c;
  for (let word = 0; word < 8; word += 1) addresses[word] = view.getInt32(start + 8 + word * 4);
  c.identification = 0;
  c.hopLimit = view.getUint8(start + 7);
  c.flowLabel = view.getUint32(start) & 0xfffff;
  const payloadLength = view.getUint16(start + 4);
  c.at = start + 40;
  c.next = view.getUint8(start + 6);
  if (payloadLength > 0) c.endAt(c.at + payloadLength);
  // A jumbogram says 0 and has an option instead; an offloaded segment says 0, and the record knows.
  else if (c.next === HOP_BY_HOP) takeJumboLength(c);
  return passExtensionHeaders(c, fragments);
}

const JUMBO_PAYLOAD = 0xc2;
const PAD_1 = 0;

/** RFC 2675: the length stands in an option of the hop-by-hop header. */
function takeJumboLength(c: Dissection): void {
  const { view, at: start } = c;
  if (!c.has(8)) return;
  const end = Math.min(start + extensionLength(HOP_BY_HOP, view.getUint8(start + 1)), c.end);
  for (let at = start + 2; at + 2 <= end;) {
    if (view.getUint8(at) === PAD_1) {
      at += 1;
      continue;
    }
    const length = view.getUint8(at + 1);
    if (view.getUint8(at) === JUMBO_PAYLOAD && length === 4 && at + 6 <= end) {
      return c.endAt(start + view.getUint32(at + 2));
    }
    at += 2 + length;
  }
}

function passExtensionHeaders(c: Dissection, fragments: FragmentTable): Layer {
  while (isExtension(c.next)) {
    if (!c.has(8)) return c.missing(8);
    const { view, at, next: protocol } = c;
    if (protocol === AUTHENTICATION) c.through.enterAuthenticated();
    c.behind(extensionLength(protocol, view.getUint8(at + 1)), {
      layer: "IP protocol",
      next: view.getUint8(at),
    });
    if (protocol !== FRAGMENT) continue;
    const fragment = view.getUint16(at + 2);
    // RFC 6946: what is all there is no fragment, whatever header it has.
    if ((fragment & 0xfff9) === 0) continue;
    const layer = fragments.add(c, {
      offset: fragment & 0xfff8,
      hasMore: (fragment & 1) === 1,
      identification: view.getUint32(at + 4),
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

/** RFC 8200, section 4; the authentication header counts in other units (RFC 4302, section 2.2). */
function extensionLength(protocol: number, units: number): number {
  if (protocol === FRAGMENT) return 8;
  if (protocol === AUTHENTICATION) return (units + 2) * 4;
  return (units + 1) * 8;
}

/** What the protocol number of an IP header stands for. */
export function readProtocol(c: Dissection): Layer {
  switch (c.next) {
    case TCP:
      return c.isQuoted ? "quoted tcp" : "tcp";
    case ICMP:
    case ICMPV6:
      return "icmp";
    case UDP:
      return "udp";
    default:
      return readWrapping(c);
  }
}

function readWrapping(c: Dissection): Layer {
  switch (c.next) {
    case IPV4:
      c.through.enterBetween(c.isVersion6 ? "4in6" : "4in4", c.addresses);
      return "ip";
    case IPV6:
      c.through.enterBetween(c.isVersion6 ? "6in6" : "6in4", c.addresses);
      return "ip";
    case GRE:
      return "gre";
    case AUTHENTICATION:
      return passAuthentication(c);
    case ETHER_IP:
      c.through.enterBetween("EtherIP", c.addresses);
      return c.behind(2, { layer: "ethernet", next: 0 });
    case MPLS:
      return "mpls";
    case ETHERNET:
      return "ethernet";
    default:
      return c.undecoded("IP protocol", c.next);
  }
}

function passAuthentication(c: Dissection): Layer {
  if (!c.has(12)) return c.missing(12);
  c.through.enterAuthenticated();
  const { view, at } = c;
  return c.behind(extensionLength(AUTHENTICATION, view.getUint8(at + 1)), {
    layer: "IP protocol",
    next: view.getUint8(at),
  });
}

/** An ICMP error quotes what it is about (RFC 792, RFC 4443); other messages are about no segment. */
export function readIcmp(c: Dissection): Layer {
  if (!c.has(8)) return c.missing(8);
  const type = c.view.getUint8(c.at);
  const isVersion6 = c.next === ICMPV6;
  if (c.isQuoted || !isIcmpError({ type, isVersion6 })) return c.undecoded("IP protocol", c.next);
  c.isQuoted = true;
  c.icmpType = type;
  c.icmpCode = c.view.getUint8(c.at + 1);
  c.reporter.set(c.addresses.subarray(0, 4));
  return c.behind(8, { layer: "ip", next: 0 });
}
