/**
 * One end of a connection, as far as its segments show it.
 *
 * @module
 */
import type { IpWords } from "../decode/ip_address.ts";
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

/** Sequence numbers that were skipped: somebody sent or acknowledged what follows them. */
export interface Gap {
  /** The first of them. */
  from: number;
  /** The one after the last. */
  to: number;
  /** When they were skipped, in milliseconds since the flow's origin. */
  readonly at: number;
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
  declare through: readonly string[];
  /** The key of that path, 0 where none was seen that could be told from another. */
  declare tunnel: number;
  /** Its state, as far as its segments prove it. */
  declare state: State;

  /** Whether its SYN was seen, so that {@linkcode isn} holds. */
  declare hasIsn: boolean;
  /** Its initial sequence number: the handshake's j or k. */
  declare isn: number;
  /** Whether it has sent anything that shows {@linkcode next}. */
  declare hasNext: boolean;
  /** The sequence number after the last one it used. */
  declare next: number;
  /** The first sequence number after its SYN, or the first that was seen. */
  declare first: number;
  /** What lies between {@linkcode first} and {@linkcode next} and was not seen. */
  declare gaps: Gap[] | undefined;
  /** How many sequence numbers of gaps there was no memory left for. */
  declare forgottenGaps: number;
  /** Whether it has acknowledged anything. */
  declare hasAcked: boolean;
  /** The highest acknowledgement it sent. */
  declare acked: number;
  /** The window it last offered, unscaled. */
  declare window: number;
  /** By how many bits its window is shifted, where its SYN said so. */
  declare windowScale: number | undefined;
  /** What its first SYN, or SYN+ACK, offered; the flags hold the ECN bits. */
  declare offered: { flags: number; options: TcpOptions } | undefined;
  /** How many bytes of payload its SYN carried. */
  declare synLength: number;
  /** How many of those the SYN+ACK acknowledged. */
  declare synAcknowledged: number;
  /** The time to live of what it sends, resets apart; 0 before it has sent anything else. */
  declare hopLimit: number;

  /** How many segments it sent. */
  declare segments: number;
  /** How many of those took up sequence space: payload, SYN or FIN. */
  declare sending: number;
  /** How many of those had been seen before. */
  declare resent: number;
  /** How many of those came after bytes that follow them. */
  declare outOfOrder: number;
  /** How many SYN, or SYN+ACK, it sent. */
  declare syns: number;
  /** Whether a SYN+ACK was among them. */
  declare hasSynAck: boolean;
  /** The milliseconds between them: its back-off. */
  declare synGaps: readonly number[];
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
  declare fin: number;
  /** Whether its FIN was acknowledged. */
  declare isFinAcked: boolean;

  /** What it sent last, to know copies by: numbers side by side, for there are many ends. */
  readonly sightings: number[] = [];
  /** How many sightings were noted. */
  declare sighted: number;

  /** An end that is part of no flow yet. */
  constructor(role: Role) {
    this.role = role;
    this.begin([0, 0, 0, 0], { at: 0, port: 0 });
  }

  /** Forgets all it has shown, and is the end at another address. */
  begin(words: IpWords, { at, port }: { at: number; port: number }): void {
    for (let word = 0; word < 4; word += 1) this.address[word] = words[at + word] ?? 0;
    this.port = port;
    this.through = NO_TUNNELS;
    this.tunnel = 0;
    this.state = "UNKNOWN";
    this.hasIsn =
      this.hasNext =
      this.hasAcked =
      this.hasSynAck =
        false;
    this.hasSentData = this.hasFin = this.isFinAcked = false;
    this.isn =
      this.next =
      this.first =
      this.acked =
      this.window =
      this.fin =
        0;
    this.gaps = undefined;
    this.windowScale = this.offered = undefined;
    this.forgottenGaps =
      this.synLength =
      this.synAcknowledged =
      this.hopLimit =
        0;
    this.segments =
      this.sending =
      this.resent =
      this.outOfOrder =
        0;
    this.syns = this.lastSynAt = 0;
    this.synGaps = NO_GAPS;
    this.bytes = this.keepAlives = this.windowProbes = 0;
    this.sighted = 0;
  }

  /** How many bytes the window it offers holds (RFC 7323, section 2.2: scaled if both ends said so). */
  get scaledWindow(): number {
    const { windowScale, peer } = this;
    const isScaled = windowScale !== undefined && peer.windowScale !== undefined;
    return this.window * (isScaled ? 2 ** windowScale : 1);
  }
}

const NO_GAPS: readonly number[] = [];
const NO_TUNNELS: readonly string[] = [];
