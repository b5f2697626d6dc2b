/**
 * The internet layer: IPv4 and IPv6 headers.
 *
 * @module
 */
const MAPPED_PREFIX = 0xffff;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HOST_IDENTITY = 139;
const SHIM6 = 140;

/** Why a packet holds no whole header that could be read. */
export type Undecodable = "short" | "malformed" | "fragment";

/** What an IP header says. */
export class Datagram {
  /** The source address in words 0 to 3 and the destination in 4 to 7; IPv4 is mapped into IPv6. */
  readonly addresses: Int32Array = new Int32Array(8);
  /** The protocol of the transport header. */
  protocol = 0;
  /** Where the transport header begins. */
  transport = 0;
  /** Where the datagram ends by its own account, captured or not. */
  datagramEnd = 0;
  /** Its time to live, or hop limit. */
  hopLimit = 0;
  /** The identification of an IPv4 datagram, 0 where there is none. */
  identification = 0;
}

/** Where a datagram lies in its buffer, as far as it was captured. */
export interface Extent {
  /** The first byte of the IP header. */
  readonly start: number;
  /** The byte after the last one that was captured. */
  readonly end: number;
}

/**
 * Reads an IPv4 (RFC 791) or IPv6 (RFC 8200) header into `datagram`. Returns why that failed, or
 * nothing.
 */
export function decodeInternet(
  view: DataView,
  extent: Extent,
  datagram: Datagram,
): Undecodable | undefined {
  if (extent.start >= extent.end) return "short";
  const version = view.getUint8(extent.start) >> 4;
  if (version === 4) return decodeIpv4(view, extent, datagram);
  if (version === 6) return decodeIpv6(view, extent, datagram);
  return "malformed";
}

function decodeIpv4(
  view: DataView,
  { start, end }: Extent,
  datagram: Datagram,
): Undecodable | undefined {
  if (start + 20 > end) return "short";
  const headerLength = (view.getUint8(start) & 0x0f) * 4;
  // Segmentation offload leaves a length of 0 in what the sender's own machine captures.
  const totalLength = view.getUint16(start + 2) || end - start;
  if (headerLength < 20 || totalLength < headerLength) return "malformed";
  if ((view.getUint16(start + 6) & 0x1fff) !== 0) return "fragment";
  const { addresses } = datagram;
  addresses[0] =
    addresses[1] =
    addresses[4] =
    addresses[5] =
      0;
  addresses[2] = addresses[6] = MAPPED_PREFIX;
  addresses[3] = view.getInt32(start + 12);
  addresses[7] = view.getInt32(start + 16);
  datagram.identification = view.getUint16(start + 4);
  datagram.hopLimit = view.getUint8(start + 8);
  datagram.protocol = view.getUint8(start + 9);
  datagram.transport = start + headerLength;
  datagram.datagramEnd = start + totalLength;
  return undefined;
}

function decodeIpv6(
  view: DataView,
  { start, end }: Extent,
  datagram: Datagram,
): Undecodable | undefined {
  if (start + 40 > end) return "short";
  const { addresses } = datagram;
  for (let word = 0; word < 8; word += 1) {
    addresses[word] = view.getInt32(start + 8 + word * 4);
  }
  // A jumbogram, or an offloaded segment, says 0.
  const payloadLength = view.getUint16(start + 4) || end - start - 40;
  datagram.datagramEnd = start + 40 + payloadLength;
  datagram.identification = 0;
  datagram.protocol = view.getUint8(start + 6);
  datagram.hopLimit = view.getUint8(start + 7);
  datagram.transport = start + 40;
  return passExtensionHeaders(view, end, datagram);
}

function passExtensionHeaders(
  view: DataView,
  end: number,
  datagram: Datagram,
): Undecodable | undefined {
  for (;;) {
    const at = datagram.transport;
    if (!isExtension(datagram.protocol)) return undefined;
    if (at + 8 > end) return "short";
    if (datagram.protocol === FRAGMENT && (view.getUint16(at + 2) & 0xfff8) !== 0) {
      return "fragment";
    }
    datagram.transport += extensionLength(datagram.protocol, view.getUint8(at + 1));
    datagram.protocol = view.getUint8(at);
  }
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
