/**
 * A TCP segment, or an ICMP error about one.
 *
 * @module
 */
import { readTcpOptions, type TcpOptions } from "./tcp_options.ts";
import { TunnelPath } from "./tunnel_path.ts";

/** The FIN control bit of RFC 9293, section 3.1. */
export const FIN = 0x01;
/** The SYN control bit. */
export const SYN = 0x02;
/** The RST control bit. */
export const RST = 0x04;
/** The PSH control bit. */
export const PSH = 0x08;
/** The ACK control bit. */
export const ACK = 0x10;
/** The ECE control bit of RFC 3168. */
export const ECE = 0x40;
/** The CWR control bit. */
export const CWR = 0x80;
/** The AE control bit of RFC 9768, which RFC 3540 had called NS. */
export const AE = 0x100;

/** What a packet turned out to be: a TCP segment, an ICMP error that quotes one, or neither. */
export type Decoded = "tcp" | "icmp" | "undecoded";

const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));

/**
 * One TCP segment, or one ICMP error about a segment. The decoder fills the same object again for
 * each packet, so that a million of them cost no memory.
 */
export class Segment {
  /** The source address in words 0 to 3 and the destination in 4 to 7; IPv4 is mapped into IPv6. */
  readonly addresses: Int32Array = new Int32Array(8);
  /** Its datagram's time to live, or hop limit. */
  hopLimit = 0;
  /** Its flow label (RFC 6437), 0 where there is none and in IPv4. */
  flowLabel = 0;
  /** The identification of an IPv4 datagram, 0 where there is none. */
  identification = 0;
  /** The port it comes from. */
  sourcePort = 0;
  /** The port it goes to. */
  destinationPort = 0;
  /** The sequence number of its first byte, or of its SYN. */
  seq = 0;
  /** The sequence number it expects next, where ACK is set. */
  ack = 0;
  /** The control bits. */
  flags = 0;
  /** The window as it stands in the header, not scaled. */
  window = 0;
  /** The checksum as it stands in the header, 0 where it was not captured. */
  checksum = 0;
  /** How many bytes of payload it carries, whether or not they were captured. */
  length = 0;
  /** Whether it is the rest of one that was told of when the first fragment of its datagram came. */
  isRemainder = false;
  /** When it was captured: whole seconds since 1970. */
  seconds = 0;
  /** When it was captured: the nanoseconds of that second. */
  nanoseconds = 0;
  /** When it was captured, in milliseconds since the origin of whoever tracks it. */
  time = 0;
  /** The interface it was seen on, 0 where that is unknown. */
  interface = 0;

  /** Through what it came: VLANs and tunnels. */
  readonly tunnels: TunnelPath = new TunnelPath();

  /** An ICMP error's type and code; its addresses and ports are those of the segment it quotes. */
  icmpType = 0;
  /** See {@linkcode icmpType}. */
  icmpCode = 0;
  /** Who sent the ICMP error. */
  readonly icmpSource: Int32Array = new Int32Array(4);

  readonly #optionBytes = { view: NO_BYTES, start: 0, captured: 0, end: 0 };

  /** Reads the options; valid until the next packet is asked for. */
  get options(): TcpOptions {
    const { view, start, captured, end } = this.#optionBytes;
    const options = readTcpOptions(view, start, captured);
    if (captured < end) options.isTruncated = true;
    return options;
  }

  /** Remembers where the options lie, to read them only if someone asks. */
  setOptions(view: DataView, at: { start: number; captured: number; end: number }): void {
    const place = this.#optionBytes;
    place.view = view;
    place.start = at.start;
    place.captured = at.captured;
    place.end = at.end;
  }
}
