/**
 * A packet on the way from its outermost header to the TCP segment in it.
 *
 * @module
 */
import { TunnelPath } from "./tunnel_path.ts";
import type { UndecodedKind } from "./undecoded.ts";

/**
 * What comes next in a packet. A reader of one header moves {@linkcode Dissection.offset} behind it and
 * returns what is there.
 */
export type Layer =
  | "link"
  | "ethernet"
  | "EtherType"
  | "802.2"
  | "mpls"
  | "ppp"
  | "802.11"
  | "ip"
  | "IP protocol"
  | "gre"
  | "udp"
  | "icmp"
  | "tcp"
  | "quoted tcp"
  | "tcp remainder"
  | "undecoded"
  | "held fragment";

const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));

/** Where a packet is being read, and what its headers have said so far. */
export class Dissection {
  /** The buffer that it lies in. */
  view: DataView = NO_BYTES;
  /** The first byte that has not been read. */
  offset = 0;
  /** Where the captured bytes end. */
  end = 0;
  /** Where the packet ends by the account of its headers, captured or not. */
  wireEnd = 0;
  /** The number by which the header before names what comes next. */
  nextProtocol = 0;
  /** The interface that it was seen on, where a link header tells. */
  interface = 0;
  /** When it was captured, in seconds since 1970. */
  seconds = 0;

  /** The source address in words 0 to 3 and the destination in 4 to 7; IPv4 is mapped into IPv6. */
  addresses: Int32Array = new Int32Array(8);
  /** Whether the IP header read last is one of IPv6. */
  isIpv6 = false;
  /** Its time to live, or hop limit. */
  hopLimit = 0;
  /** The flow label of an IPv6 datagram, 0 where there is none. */
  flowLabel = 0;
  /** The identification of an IPv4 datagram, 0 where there is none. */
  identification = 0;
  /** How many IP headers have been read. */
  ipHeaders = 0;
  /** Whether that datagram was put together from fragments, or is the first of them. */
  fragment: "none" | "first" | "whole" = "none";

  /** Whether what is read now is quoted in an ICMP error. */
  isInIcmpError = false;
  /** The error's type. */
  icmpType = 0;
  /** The error's code. */
  icmpCode = 0;
  /** Who sent the error. */
  readonly icmpSource: Int32Array = new Int32Array(4);

  /** Through what it came. */
  tunnels: TunnelPath = new TunnelPath();

  /** Why no segment was found. */
  undecodedKind: UndecodedKind = "malformed";
  /** What there is instead. */
  undecodedNumber = 0;

  /** Whether so many bytes are there; if not, {@linkcode missing} says why. */
  has(count: number): boolean {
    return this.offset + count <= this.end;
  }

  /** A header is not all there: the capture has cut it off, or it had never been whole. */
  missing(count: number): Layer {
    return this.undecoded(this.offset + count <= this.wireEnd ? "truncated" : "malformed");
  }

  /** Nothing is read beyond here; says why. */
  undecoded(kind: UndecodedKind, number = 0): Layer {
    this.undecodedKind = kind;
    this.undecodedNumber = number;
    return "undecoded";
  }

  /** Goes on behind a header with what a number stands for. */
  skip(count: number, { layer, next }: { layer: Layer; next: number }): Layer {
    this.offset += count;
    this.nextProtocol = next;
    return layer;
  }

  /** Notes where the innermost packet ends by its own account: what comes behind is padding. */
  setEnd(wireEnd: number): void {
    this.wireEnd = wireEnd;
    this.end = Math.min(this.end, wireEnd);
  }
}
