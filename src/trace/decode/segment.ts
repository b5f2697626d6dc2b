/**
 * A TCP segment, or an ICMP error about one.
 *
 * @module
 */
import { readTcpOptions, type TcpOptions } from "./tcp_options.ts";
import { TunnelPath } from "./tunnel_path.ts";

/** FIN control bit (RFC 9293, 3.1). */
export const FIN = 0x01;
/** SYN control bit. */
export const SYN = 0x02;
/** RST control bit. */
export const RST = 0x04;
/** ACK control bit. */
export const ACK = 0x10;
/** ECE control bit (RFC 3168). */
export const ECE = 0x40;
/** CWR control bit (RFC 3168). */
export const CWR = 0x80;
/** AE control bit (RFC 9768), formerly NS (RFC 3540). */
export const AE = 0x100;

/** Result of decoding a packet: a TCP segment, an ICMP error that quotes one, or neither. */
export type Decoded = "tcp" | "icmp" | "undecoded";

const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));

/**
 * One TCP segment, or one ICMP error about a segment. The decoder reuses the object for every
 * packet.
 */
export class Segment {
  /**
   * Source address in elements 0 to 3 and destination in 4 to 7; IPv4 addresses are mapped to IPv6.
   */
  readonly addresses: Int32Array = new Int32Array(8);
  /** Time to live, or hop limit. */
  hopLimit = 0;
  /** IPv6 flow label (RFC 6437), 0 for IPv4. */
  flowLabel = 0;
  /** IPv4 identification, 0 for IPv6. */
  identification = 0;
  /** Source port. */
  sourcePort = 0;
  /** Destination port. */
  destinationPort = 0;
  /** Sequence number. */
  seq = 0;
  /** Acknowledgment number; valid if ACK is set. */
  ack = 0;
  /** Control bits. */
  flags = 0;
  /** Window field of the header, unscaled. */
  window = 0;
  /** Checksum field of the header, 0 if not captured. */
  checksum = 0;
  /** Payload length on the wire in bytes. */
  length = 0;
  /** Whether it is the remainder of a segment whose first fragment was already reported. */
  isRemainder = false;
  /** Capture time: whole seconds since 1970. */
  seconds = 0;
  /** Capture time: nanoseconds of that second. */
  nanoseconds = 0;
  /** Capture time in milliseconds since the origin of its flow; set by the tracker. */
  time = 0;
  /** Capture interface, 0 if unknown. */
  interface = 0;

  /** VLANs and tunnels that encapsulate the segment. */
  readonly tunnels: TunnelPath = new TunnelPath();

  /** ICMP type. Addresses and ports are those of the quoted segment. */
  icmpType = 0;
  /** ICMP code. */
  icmpCode = 0;
  /** Source address of the ICMP error. */
  readonly icmpSource: Int32Array = new Int32Array(4);

  readonly #optionBytes = { view: NO_BYTES, start: 0, captured: 0, end: 0 };

  /** Parses the TCP options; valid until the next packet is decoded. */
  get options(): TcpOptions {
    const { view, start, captured, end } = this.#optionBytes;
    const options = readTcpOptions(view, start, captured);
    if (captured < end) options.isTruncated = true;
    return options;
  }

  /** Stores the position of the options, which are parsed on demand. */
  setOptions(view: DataView, at: { start: number; captured: number; end: number }): void {
    const optionBytes = this.#optionBytes;
    optionBytes.view = view;
    optionBytes.start = at.start;
    optionBytes.captured = at.captured;
    optionBytes.end = at.end;
  }
}
