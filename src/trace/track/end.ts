/**
 * One end of a TCP connection.
 *
 * @module
 */
import type { IpAddress } from "../decode/ip_address.ts";
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

/** A gap in the captured sequence numbers. */
export interface SequenceGap {
  /** First missing sequence number. */
  from: number;
  /** Sequence number after the last missing one. */
  to: number;
  /** When the gap was detected, in milliseconds since the flow's origin. */
  readonly time: number;
  /** Whether an ACK showed the gap, as when it was captured before the data. */
  readonly isAcknowledged: boolean;
}

/** State of one end, as derived from captured segments. */
export class End {
  /** Client or server. */
  readonly role: Role;
  /** IP address. */
  readonly address: number[] = [0, 0, 0, 0];
  /** Port. */
  declare port: number;
  /** The other end. */
  peer: End = this;
  /** VLANs and tunnels of its segments, outermost first, such as `VXLAN 42`. */
  declare tunnels: readonly string[];
  /** Hash of {@linkcode tunnels}, 0 without any identifiable tunnel. */
  declare tunnelKey: number;
  /** TCP state that its segments prove. */
  declare state: State;

  /** Whether its SYN was captured, which sets {@linkcode isn}. */
  declare hasIsn: boolean;
  /** Initial sequence number. */
  declare isn: number;
  /** Whether {@linkcode nextSeq} is known. */
  declare hasNextSeq: boolean;
  /** Next sequence number (SND.NXT; `tcp.nxtseq` in Wireshark). */
  declare nextSeq: number;
  /** First sequence number after its SYN, or the first that was captured. */
  declare firstSeq: number;
  /** Missing ranges between {@linkcode firstSeq} and {@linkcode nextSeq}. */
  declare gaps: SequenceGap[] | undefined;
  /** Total length of gaps beyond the limit on their number. */
  declare discardedGapLength: number;
  /** Whether it has sent an ACK. */
  declare hasAcked: boolean;
  /** Highest acknowledgment number sent. */
  declare highestAck: number;
  /** Window of its last segment, unscaled. */
  declare window: number;
  /** Window scale of its SYN, in bits. */
  declare windowScale: number | undefined;
  /** Options and control bits of its first SYN or SYN+ACK. */
  declare syn: { flags: number; options: TcpOptions } | undefined;
  /** Payload bytes in its SYN. */
  declare synPayload: number;
  /** Payload bytes of the SYN that the SYN+ACK acknowledged. */
  declare synPayloadAcked: number;
  /** TTL, or hop limit, of its first segment other than a RST; 0 if there was none. */
  declare hopLimit: number;

  /** Segments sent. */
  declare segments: number;
  /** Segments sent with payload, SYN or FIN. */
  declare nonEmptySegments: number;
  /** Retransmissions (`tcp.analysis.retransmission`). */
  declare retransmissions: number;
  /** Out-of-order segments (`tcp.analysis.out_of_order`). */
  declare outOfOrder: number;
  /** SYNs, or SYN+ACKs, sent. */
  declare syns: number;
  /** Whether it sent a SYN+ACK. */
  declare hasSynAck: boolean;
  /** Milliseconds between its SYNs. */
  declare synIntervals: readonly number[];
  /** Time of its last SYN, in milliseconds since the flow's origin. */
  declare lastSynAt: number;
  /** Payload bytes sent, without retransmissions. */
  declare bytes: number;
  /** Keep-alive probes sent. */
  declare keepAlives: number;
  /** Zero-window probes sent. */
  declare windowProbes: number;
  /** Whether it sent a segment after its SYN. */
  declare hasSentData: boolean;
  /** Whether it sent a FIN. */
  declare hasFin: boolean;
  /** Sequence number of its FIN. */
  declare finSeq: number;
  /** Whether its FIN was acknowledged. */
  declare isFinAcked: boolean;

  /**
   * Recent segments for duplicate detection, {@link rememberSegment}; flat, as there are many ends.
   */
  readonly recentSegments: number[] = [];
  /** Number of segments stored in {@linkcode recentSegments} so far. */
  declare recentCount: number;

  /** An end without an address. */
  constructor(role: Role) {
    this.role = role;
    this.initialise([0, 0, 0, 0], { at: 0, port: 0 });
  }

  /** Resets the object for an end with another address. */
  initialise(words: IpAddress, { at, port }: { at: number; port: number }): void {
    for (let word = 0; word < 4; word += 1) this.address[word] = words[at + word] ?? 0;
    this.port = port;
    this.tunnels = NO_TUNNELS;
    this.tunnelKey = 0;
    this.state = "UNKNOWN";
    this.hasIsn =
      this.hasNextSeq =
      this.hasAcked =
      this.hasSynAck =
        false;
    this.hasSentData = this.hasFin = this.isFinAcked = false;
    this.isn =
      this.nextSeq =
      this.firstSeq =
      this.highestAck =
      this.window =
      this.finSeq =
        0;
    this.gaps = undefined;
    this.windowScale = this.syn = undefined;
    this.discardedGapLength =
      this.synPayload =
      this.synPayloadAcked =
      this.hopLimit =
        0;
    this.segments =
      this.nonEmptySegments =
      this.retransmissions =
      this.outOfOrder =
        0;
    this.syns = this.lastSynAt = 0;
    this.synIntervals = NO_INTERVALS;
    this.bytes = this.keepAlives = this.windowProbes = 0;
    this.recentCount = 0;
  }

  /** Window in bytes, scaled if both SYNs had a window scale (RFC 7323, 2.2). */
  get scaledWindow(): number {
    const { windowScale, peer } = this;
    const isScaled = windowScale !== undefined && peer.windowScale !== undefined;
    return this.window * (isScaled ? 2 ** windowScale : 1);
  }
}

const NO_INTERVALS: readonly number[] = [];
const NO_TUNNELS: readonly string[] = [];
