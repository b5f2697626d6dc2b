/**
 * A TCP connection as derived from captured segments.
 *
 * @module
 */
import { addressText, type IpAddress } from "../decode/ip_address.ts";
import { End } from "./end.ts";
import type { Fingerprint } from "./host_fingerprints.ts";
import type { SegmentHistory } from "./segment_history.ts";
import type { Segment } from "../decode/segment.ts";
import type { Role } from "./state.ts";

/** An ICMP error about one of the flow's segments. */
export interface IcmpError {
  /** ICMP type. */
  readonly type: number;
  /** ICMP code. */
  readonly code: number;
  /** Source address. */
  readonly source: IpAddress;
}

/** An accepted RST. */
export interface Reset {
  /** End that sent it, by its address. */
  readonly by: Role;
  /** Sequence number. */
  readonly seq: number;
  /** Next sequence number of the other end at that time. */
  readonly peerNextSeq: number;
  /** Fingerprint of its IP header. */
  readonly fingerprint: Fingerprint;
  /** Window field, which kernels set to 0 in a RST. */
  readonly window: number;
}

/** Values that the tracker sets when a flow begins. */
export interface FlowContext {
  /** Hash of both ends. */
  readonly hash: number;
  /** Sequence number of the flow. */
  readonly number: number;
  /** Origin of the flow's times, in seconds since 1970. */
  readonly origin: number;
  /** Whether its first segment is a SYN+ACK, which the server sends. */
  readonly startsWithSynAck: boolean;
  /** History of its segments, if recorded. */
  readonly history: SegmentHistory | undefined;
}

/**
 * One connection attempt and its outcome. {@linkcode initialise} sets the fields, so that objects
 * can be reused.
 */
export class Flow {
  /** The end that sent the SYN; without one, the source of the first segment. */
  readonly client: End = new End("client");
  /** The other end. */
  readonly server: End = new End("server");
  /** Origin of all times of the flow, in seconds since 1970. */
  declare origin: number;
  /** Time of its first segment, in milliseconds since {@linkcode origin}. */
  declare startedAt: number;
  /** Time of its last segment; monotonic. */
  declare lastAt: number;
  /** Capture timestamp of its last segment. */
  declare captureClock: number;
  /** Latest capture timestamp so far. */
  declare maxCaptureClock: number;
  /** Largest step back of the capture clock, in milliseconds. */
  declare clockBack: number;
  /** Offset added to capture timestamps after a step back. */
  declare clockOffset: number;

  /** Whether its SYN was not captured; client and server are then unknown until a SYN+ACK. */
  declare isPartial: boolean;
  /** Whether flows were evicted before it began, so that it may continue one of them. */
  declare mayContinueEvicted: boolean;
  /** Simultaneous open (RFC 9293, 3.5, figure 7). */
  declare isSimultaneous: boolean;
  /** Whether segments were captured in another order than they were sent. */
  declare isReordered: boolean;
  /** Whether the SYN+ACK or the ACK after it was not captured, as later data proves. */
  declare isHandshakeIncomplete: boolean;
  /** Time of the client's first SYN. */
  declare synAt: number | undefined;
  /** Time of the first SYN+ACK. */
  declare synAckAt: number | undefined;
  /** Time at which the handshake completed. */
  declare establishedAt: number | undefined;
  /** SYN+ACK retransmissions after the client's ACK. */
  declare synAckRetransmits: number;
  /** ISNs of other SYN+ACKs for the same SYN, which the client did not acknowledge. */
  declare otherSynAckIsns: readonly number[];
  /** Segments that answered another SYN on the same ports. */
  declare strayAnswers: number;
  /** Acknowledgment number of the last of them. */
  declare strayAck: number;
  /** Control bits of the last of them. */
  declare strayFlags: number;
  /** Whether the previous connection on the same ports was open when it began. */
  declare hasPredecessor: boolean;
  /** Whether it continued after a SYN on the same ports. */
  declare isResumed: boolean;

  /** The RST that ended it. */
  declare reset: Reset | undefined;
  /** Fingerprint of the SYN+ACKs that the sender of the RST sent in other flows, if any. */
  declare hostFingerprint: Fingerprint | undefined;
  /** Whether a SYN+ACK followed the RST that had answered the SYN. */
  declare hasSynAckAfterReset: boolean;
  /** Whether it continued after a RST, which was forged or lost. */
  declare hasIgnoredReset: boolean;
  /** End that sent the RST that ended the other end's TIME_WAIT. */
  declare timeWaitResetBy: Role | undefined;
  /** End that sent the first FIN, or the RST. */
  declare closedBy: Role | undefined;
  /** Simultaneous close (RFC 9293, 3.6, figure 13). */
  declare isSimultaneousClose: boolean;
  /** First ICMP error about it. */
  declare unreachable: IcmpError | undefined;
  /** Time at which it was reset, or the second FIN was acknowledged. */
  declare finishedAt: number | undefined;
  /** Segments after that. */
  declare late: number;
  /** Segments captured more than once. */
  declare duplicates: number;
  /** Why the tracker dropped it while it was open: flow limit, or ports reused. */
  declare evicted: "full" | "reused" | undefined;
  /** History of its segments, if recorded. */
  declare history: SegmentHistory | undefined;

  /** Whether the tracker has reported it. */
  declare isReported: boolean;
  /** Whether segments were captured after it was reported. */
  declare hasUnreportedSegments: boolean;
  /** Whether the next SYN or SYN+ACK retransmission is overdue. */
  declare isOverdue: boolean;
  /** Hash of both ends. */
  declare hash: number;
  /** Next flow in the same hash bucket. */
  declare nextInBucket: Flow | undefined;
  /** Sequence number of the flow. */
  declare number: number;
  /** List of the flow table that it is in. */
  declare list: { remove(flow: Flow): void } | undefined;
  /** Previous flow in that list. */
  declare older: Flow | undefined;
  /** Next flow in that list. */
  declare newer: Flow | undefined;

  /** Creates a flow from its first segment. */
  constructor(segment: Segment, context: FlowContext) {
    this.client.peer = this.server;
    this.server.peer = this.client;
    this.initialise(segment, context);
  }

  /** Resets the object for a flow whose first segment is `segment`. */
  initialise(segment: Segment, context: FlowContext): void {
    const { addresses, sourcePort, destinationPort } = segment;
    const source = context.startsWithSynAck ? this.server : this.client;
    source.initialise(addresses, { at: 0, port: sourcePort });
    source.peer.initialise(addresses, { at: 4, port: destinationPort });
    this.hash = context.hash;
    this.number = context.number;
    this.origin = context.origin;
    this.history = context.history;
    this.isReported = this.isOverdue = this.hasUnreportedSegments = false;
    this.list = this.nextInBucket = undefined;
    this.older = this.newer = undefined;
    this.startedAt = this.lastAt = segment.time;
    this.captureClock = this.maxCaptureClock = segment.time;
    this.clockBack = this.clockOffset = 0;
    this.#initialiseHandshake();
    this.#initialiseEnd();
  }

  #initialiseHandshake(): void {
    this.isPartial = this.mayContinueEvicted = this.hasPredecessor = false;
    this.isSimultaneous = this.isReordered = this.isHandshakeIncomplete = false;
    this.isResumed = false;
    this.synAt = this.synAckAt = this.establishedAt = undefined;
    this.synAckRetransmits = 0;
    this.otherSynAckIsns = NO_ISNS;
    this.strayAnswers = this.strayAck = this.strayFlags = 0;
  }

  #initialiseEnd(): void {
    this.reset = this.hostFingerprint = undefined;
    this.timeWaitResetBy = this.closedBy = undefined;
    this.hasSynAckAfterReset = this.hasIgnoredReset = this.isSimultaneousClose = false;
    this.unreachable = undefined;
    this.finishedAt = this.evicted = undefined;
    this.late = this.duplicates = 0;
  }

  /** Whether both ends have the same address and port, as when a socket connects to itself. */
  get isToItself(): boolean {
    const { client, server } = this;
    return client.port === server.port &&
      addressText(client.address) === addressText(server.address);
  }

  /** Whether the handshake has completed or failed. */
  get isSettled(): boolean {
    return (this.establishedAt ?? this.reset ?? this.unreachable) !== undefined;
  }

  /** Whether both ends' states are known. */
  get hasStates(): boolean {
    return !this.isPartial || this.synAckAt !== undefined;
  }

  /** Whether client and server are known. */
  get hasRoles(): boolean {
    return this.hasStates && !this.isSimultaneous;
  }
}

const NO_ISNS: readonly number[] = [];

/** Whether the segment's source is this end. */
export function isSource(end: End, { addresses, sourcePort }: Segment): boolean {
  const { address } = end;
  return end.port === sourcePort && address[3] === addresses[3] && address[2] === addresses[2] &&
    address[1] === addresses[1] && address[0] === addresses[0];
}

/** Whether the segment's destination is this end. */
export function isDestination(end: End, { addresses, destinationPort }: Segment): boolean {
  const { address } = end;
  return end.port === destinationPort && address[3] === addresses[7] &&
    address[2] === addresses[6] && address[1] === addresses[5] && address[0] === addresses[4];
}
