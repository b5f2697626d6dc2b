/**
 * A connection as it is seen on the wire: two ends, and what became of it.
 *
 * @module
 */
import { addressText, type IpAddress } from "../decode/ip_address.ts";
import { End } from "./end.ts";
import type { Fingerprint } from "./host_fingerprints.ts";
import type { SegmentHistory } from "./segment_history.ts";
import type { Segment } from "../decode/segment.ts";
import type { Role } from "./state.ts";

export { End };

/** An ICMP error that answered one of the flow's segments. */
export interface IcmpError {
  /** The message's type and code. */
  readonly type: number;
  /** See {@linkcode type}. */
  readonly code: number;
  /** Who sent it. */
  readonly source: IpAddress;
}

/** A reset that was taken, with what may tell who really sent it. */
export interface Reset {
  /** Whose it is, by its address. */
  readonly by: Role;
  /** Its sequence number. */
  readonly seq: number;
  /** The sequence number after the last one that the other end had used then. */
  readonly peerNextSeq: number;
  /** What its IP header tells of who made it. */
  readonly fingerprint: Fingerprint;
  /** The window it offers, which means nothing in a reset; kernels say 0. */
  readonly window: number;
}

/** What a tracker knows of a flow when it begins. */
export interface FlowContext {
  /** The tracker's hash of both ends. */
  readonly hash: number;
  /** How many flows began before. */
  readonly number: number;
  /** The second since 1970 that all times count from. */
  readonly origin: number;
  /** Whether its first segment is a SYN+ACK, which the server sends. */
  readonly startsWithSynAck: boolean;
  /** Where its segments are kept, if they are. */
  readonly history: SegmentHistory | undefined;
}

/**
 * One attempt at a connection and what became of it. Its fields are declared here and set by
 * {@linkcode initialise}, so that a tracker under a flood can use the same objects again.
 */
export class Flow {
  /** The end that asked; in a flow that began before the capture, whoever was seen first. */
  readonly client: End = new End("client");
  /** The end that was asked. */
  readonly server: End = new End("server");
  /** The second since 1970 that all times of the flow count from. */
  declare origin: number;
  /** When its first segment was seen, in milliseconds since {@linkcode origin}. */
  declare startedAt: number;
  /** When its last segment was seen; it never goes back, whatever the capture's clock does. */
  declare lastAt: number;
  /** What the capture's clock said at the last segment. */
  declare captureClock: number;
  /** The latest time that the capture's clock has said. */
  declare maxCaptureClock: number;
  /** By how much the capture's clock has gone back, at most. */
  declare clockBack: number;
  /** What is added to the capture's clock since it went back. */
  declare clockOffset: number;

  /** Whether its SYN was not captured: who asked is then not known before a SYN+ACK. */
  declare isPartial: boolean;
  /** Whether flows had left to make room when it began, so that it may be what is left of one. */
  declare mayContinueEvicted: boolean;
  /** Whether both ends sent a SYN before they had seen the other's. */
  declare isSimultaneous: boolean;
  /** Whether the capture shows segments in another order than the wire. */
  declare isReordered: boolean;
  /** Whether data shows that a SYN+ACK, or the ACK after it, was missed by the capture. */
  declare isHandshakeIncomplete: boolean;
  /** When the client's first SYN was seen. */
  declare synAt: number | undefined;
  /** When the first SYN+ACK was seen. */
  declare synAckAt: number | undefined;
  /** When the handshake was complete. */
  declare establishedAt: number | undefined;
  /** How often the server repeated its SYN+ACK though it had been acknowledged. */
  declare synAckRetransmits: number;
  /** The ISNs of SYN+ACKs that answered the same SYN and that the client did not acknowledge. */
  declare otherSynAckIsns: readonly number[];
  /** How many segments answered the SYN as if it were another one. */
  declare strayAnswers: number;
  /** What the last of those acknowledged. */
  declare strayAck: number;
  /** Its control bits. */
  declare strayFlags: number;
  /** Whether the connection before it, on the same ports, was still open when it began. */
  declare hasPredecessor: boolean;
  /** Whether the connection went on though its ports seemed to be used anew. */
  declare isResumed: boolean;

  /** The RST that ended it. */
  declare reset: Reset | undefined;
  /** What the IP headers of the host that sent the reset are like in other flows, if that was seen. */
  declare hostFingerprint: Fingerprint | undefined;
  /** Whether a SYN+ACK came after the reset that had answered the SYN. */
  declare hasSynAckAfterReset: boolean;
  /** Whether it went on after a reset, which nobody can then have heeded. */
  declare hasIgnoredReset: boolean;
  /** Who sent the reset that ended the other end's TIME_WAIT. */
  declare timeWaitResetBy: Role | undefined;
  /** Who sent the first FIN, or the RST. */
  declare closedBy: Role | undefined;
  /** Whether each end sent its FIN before it saw the other's. */
  declare isSimultaneousClose: boolean;
  /** The first ICMP error about it. */
  declare unreachable: IcmpError | undefined;
  /** When it was over: reset, or both FINs acknowledged. What comes later is late. */
  declare finishedAt: number | undefined;
  /** How many segments came after that. */
  declare late: number;
  /** How many of its segments were captured twice. */
  declare duplicates: number;
  /** Whether it left the tracker unfinished, to make room or because its ports were used anew. */
  declare evicted: "full" | "reused" | undefined;
  /** Its segments one by one, where somebody wants to see them. */
  declare history: SegmentHistory | undefined;

  /** Whether the tracker has told of it. */
  declare isReported: boolean;
  /** Whether something came after that. */
  declare hasUnreportedSegments: boolean;
  /** Whether the next SYN or SYN+ACK of its handshake is overdue. */
  declare isOverdue: boolean;
  /** The tracker's hash of both ends. */
  declare hash: number;
  /** The next flow of the same hash. */
  declare nextInBucket: Flow | undefined;
  /** How many flows began before it. */
  declare number: number;
  /** The list of the tracker's that it is in. */
  declare list: { remove(flow: Flow): void } | undefined;
  /** Its neighbours there. */
  declare older: Flow | undefined;
  /** See {@linkcode older}. */
  declare newer: Flow | undefined;

  /** A flow whose first segment is `segment`. */
  constructor(segment: Segment, context: FlowContext) {
    this.client.peer = this.server;
    this.server.peer = this.client;
    this.initialise(segment, context);
  }

  /** Forgets all that was seen, and is the flow whose first segment is `segment`. */
  initialise(
    segment: Segment,
    { hash, number, origin, startsWithSynAck: startsWithSynAck, history }: FlowContext,
  ): void {
    const { addresses, sourcePort, destinationPort } = segment;
    const source = startsWithSynAck ? this.server : this.client;
    source.initialise(addresses, { at: 0, port: sourcePort });
    source.peer.initialise(addresses, { at: 4, port: destinationPort });
    this.hash = hash;
    this.origin = origin;
    this.history = history;
    this.startedAt =
      this.lastAt =
      this.captureClock =
      this.maxCaptureClock =
        segment.time;
    this.clockBack = this.clockOffset = 0;
    this.isPartial =
      this.mayContinueEvicted =
      this.isSimultaneous =
      this.isReordered =
        false;
    this.isHandshakeIncomplete = this.hasPredecessor = this.isResumed = false;
    this.synAt = this.synAckAt = this.establishedAt = undefined;
    this.synAckRetransmits =
      this.strayAnswers =
      this.strayAck =
      this.strayFlags =
        0;
    this.otherSynAckIsns = NO_ISNS;
    this.reset =
      this.hostFingerprint =
      this.timeWaitResetBy =
      this.closedBy =
        undefined;
    this.hasSynAckAfterReset = this.hasIgnoredReset = this.isSimultaneousClose = false;
    this.unreachable = undefined;
    this.finishedAt = undefined;
    this.late = this.duplicates = 0;
    this.evicted = undefined;
    this.isReported = this.isOverdue = this.hasUnreportedSegments = false;
    this.number = number;
    this.list =
      this.nextInBucket =
      this.older =
      this.newer =
        undefined;
  }

  /** Whether both ends are the same address and port, as when a socket connects to itself. */
  get isToItself(): boolean {
    const { client, server } = this;
    return client.port === server.port &&
      addressText(client.address) === addressText(server.address);
  }

  /** Whether the handshake has succeeded or failed. */
  get isSettled(): boolean {
    return (this.establishedAt ?? this.reset ?? this.unreachable) !== undefined;
  }

  /** Whether its segments show in which state each end is. */
  get hasStates(): boolean {
    return !this.isPartial || this.synAckAt !== undefined;
  }

  /** Whether it is known who asked. */
  get hasRoles(): boolean {
    return this.hasStates && !this.isSimultaneous;
  }
}

const NO_ISNS: readonly number[] = [];

/** Whether the end is the source of the segment. */
export function isSource(end: End, { addresses, sourcePort }: Segment): boolean {
  const { address } = end;
  return end.port === sourcePort && address[3] === addresses[3] && address[2] === addresses[2] &&
    address[1] === addresses[1] && address[0] === addresses[0];
}

/** Whether the end is the destination of the segment. */
export function isDestination(end: End, { addresses, destinationPort }: Segment): boolean {
  const { address } = end;
  return end.port === destinationPort && address[3] === addresses[7] &&
    address[2] === addresses[6] && address[1] === addresses[5] && address[0] === addresses[4];
}
