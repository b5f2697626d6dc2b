/**
 * The state of decoding one packet.
 *
 * @module
 */
import { TunnelPath } from "./tunnel_path.ts";
import type { UndecodedKind } from "./undecoded.ts";

/**
 * The header to be read next. The function that reads a header advances {@linkcode
 * Dissection.offset} past it and returns the layer that follows.
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

/** Read position and decoded header fields of one packet. */
export class Dissection {
  /** Buffer that holds the packet. */
  view: DataView = NO_BYTES;
  /** Offset of the next header. */
  offset = 0;
  /** Offset after the last captured byte. */
  end = 0;
  /** Offset of the packet's end according to its headers; may be greater than {@linkcode end}. */
  wireEnd = 0;
  /** Type number of the next header: link type, EtherType or IP protocol. */
  nextProtocol = 0;
  /** Capture interface, 0 if unknown. */
  interface = 0;
  /** Capture time in seconds since 1970. */
  seconds = 0;

  /**
   * Source address in elements 0 to 3 and destination in 4 to 7; IPv4 addresses are mapped to IPv6.
   */
  addresses: Int32Array = new Int32Array(8);
  /** Whether the innermost IP header is IPv6. */
  isIpv6 = false;
  /** Time to live, or hop limit, of the innermost IP header. */
  hopLimit = 0;
  /** IPv6 flow label, 0 for IPv4. */
  flowLabel = 0;
  /** IPv4 identification, 0 for IPv6. */
  identification = 0;
  /** Number of IP headers read. */
  ipHeaders = 0;
  /** Whether the datagram is unfragmented, a first fragment, or reassembled. */
  fragment: "none" | "first" | "whole" = "none";

  /** Whether the current headers are those quoted in an ICMP error. */
  isInIcmpError = false;
  /** ICMP type. */
  icmpType = 0;
  /** ICMP code. */
  icmpCode = 0;
  /** Source address of the ICMP error. */
  readonly icmpSource: Int32Array = new Int32Array(4);

  /** VLANs and tunnels that encapsulate the packet. */
  tunnels: TunnelPath = new TunnelPath();

  /** Why the packet holds no segment. */
  undecodedKind: UndecodedKind = "malformed";
  /** Type number that goes with {@linkcode undecodedKind}. */
  undecodedNumber = 0;

  /** Whether `count` bytes are captured from {@linkcode offset} on. */
  has(count: number): boolean {
    return this.offset + count <= this.end;
  }

  /** Reports a header shorter than `count` bytes: truncated by the capture, or malformed. */
  missing(count: number): Layer {
    return this.undecoded(this.offset + count <= this.wireEnd ? "truncated" : "malformed");
  }

  /** Ends decoding without a segment. */
  undecoded(kind: UndecodedKind, number = 0): Layer {
    this.undecodedKind = kind;
    this.undecodedNumber = number;
    return "undecoded";
  }

  /** Skips a header of `count` bytes and sets the type of the next one. */
  skip(count: number, { layer, next }: { layer: Layer; next: number }): Layer {
    this.offset += count;
    this.nextProtocol = next;
    return layer;
  }

  /** Sets the end of the innermost packet; bytes after it are padding. */
  setEnd(wireEnd: number): void {
    this.wireEnd = wireEnd;
    this.end = Math.min(this.end, wireEnd);
  }
}
