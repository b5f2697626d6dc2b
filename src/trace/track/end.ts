/**
 * One end of a connection, as far as its segments show it.
 *
 * @module
 */
import type { IpAddress } from "../decode/ip_address.ts";
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

/** Sequence numbers that were skipped: somebody sent or acknowledged what follows them. */
export interface SequenceGap {
  /** The first of them. */
  from: number;
  /** The one after the last. */
  to: number;
  /** When they were skipped, in milliseconds since the flow's origin. */
  readonly time: number;
  /** Whether it was an acknowledgement that showed them, which had been captured before them. */
  readonly isAcknowledged: boolean;
}

/** What one end of a connection has shown of itself. */
export class End {
  /** Its part in the handshake. */
  readonly role: Role;
  /** Where its address lies. */
  readonly address: number[] = [0, 0, 0, 0];
  /** Its port. */
  declare port: number;
  /** The other end. */
  peer: End = this;
  /** Through what its segments came, outermost first, such as `VXLAN 42`. */
  declare tunnels: readonly string[];
  /** The key of that path, 0 where none was seen that could be told from another. */
  declare tunnelKey: number;
  /** Its state, as far as its segments prove it. */
  declare state: State;

  /** Whether its SYN was seen, so that {@linkcode isn} holds. */
  declare hasIsn: boolean;
  /** Its initial sequence number: the handshake's j or k. */
  declare isn: number;
  /** Whether it has sent anything that shows {@linkcode nextSeq}. */
  declare hasNextSeq: boolean;
  /** The sequence number after the last one it used. */
  declare nextSeq: number;
  /** The first sequence number after its SYN, or the first that was seen. */
  declare firstSeq: number;
  /** What lies between {@linkcode firstSeq} and {@linkcode nextSeq} and was not seen. */
  declare gaps: SequenceGap[] | undefined;
  /** How many sequence numbers of gaps there was no memory left for. */
  declare discardedGapLength: number;
  /** Whether it has acknowledged anything. */
  declare hasAcked: boolean;
  /** The highest acknowledgement it sent. */
  declare highestAck: number;
  /** The window it last offered, unscaled. */
  declare window: number;
  /** By how many bits its window is shifted, where its SYN said so. */
  declare windowScale: number | undefined;
  /** What its first SYN, or SYN+ACK, offered; the flags hold the ECN bits. */
  declare syn: { flags: number; options: TcpOptions } | undefined;
  /** How many bytes of payload its SYN carried. */
  declare synPayload: number;
  /** How many of those the SYN+ACK acknowledged. */
  declare synPayloadAcked: number;
  /** The time to live of what it sends, resets apart; 0 before it has sent anything else. */
  declare hopLimit: number;

  /** How many segments it sent. */
  declare segments: number;
  /** How many of those took up sequence space: payload, SYN or FIN. */
  declare nonEmptySegments: number;
  /** How many of those had been seen before. */
  declare retransmissions: number;
  /** How many of those came after bytes that follow them. */
  declare outOfOrder: number;
  /** How many SYN, or SYN+ACK, it sent. */
  declare syns: number;
  /** Whether a SYN+ACK was among them. */
  declare hasSynAck: boolean;
  /** The milliseconds between them: its back-off. */
  declare synIntervals: readonly number[];
  /** When it last sent one, in milliseconds since the flow's origin. */
  declare lastSynAt: number;
  /** How many bytes of payload it sent, each counted once. */
  declare bytes: number;
  /** How many probes it sent to see whether the other end still lives. */
  declare keepAlives: number;
  /** How many probes it sent to see whether the other end's window is still closed. */
  declare windowProbes: number;
  /** Whether it sent anything after its SYN. */
  declare hasSentData: boolean;
  /** Whether it sent a FIN. */
  declare hasFin: boolean;
  /** The sequence number of its FIN. */
  declare finSeq: number;
  /** Whether its FIN was acknowledged. */
  declare isFinAcked: boolean;

  /** What it sent last, to know copies by: numbers side by side, for there are many ends. */
  readonly recentSegments: number[] = [];
  /** How many sightings were noted. */
  declare recentCount: number;

  /** An end that is part of no flow yet. */
  constructor(role: Role) {
    this.role = role;
    this.initialise([0, 0, 0, 0], { at: 0, port: 0 });
  }

  /** Forgets all it has shown, and is the end at another address. */
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

  /** How many bytes the window it offers holds (RFC 7323, section 2.2: scaled if both ends said so). */
  get scaledWindow(): number {
    const { windowScale, peer } = this;
    const isScaled = windowScale !== undefined && peer.windowScale !== undefined;
    return this.window * (isScaled ? 2 ** windowScale : 1);
  }
}

const NO_INTERVALS: readonly number[] = [];
const NO_TUNNELS: readonly string[] = [];
