/**
 * A connection as it is seen on the wire: two ends, and what became of it.
 *
 * @module
 */
import { addressText, type IpWords } from "../decode/ip_words.ts";
import type { SegmentHistory } from "./segment_history.ts";
import type { Segment } from "../decode/segment.ts";
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

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
  /** Whether it has acknowledged anything. */
  declare hasAcked: boolean;
  /** The highest acknowledgement it sent. */
  declare acked: number;
  /** The window it last offered, unscaled. */
  declare window: number;
  /** By how many bits its window is shifted, as its SYN said. */
  declare windowScale: number;
  /** What its first SYN, or SYN+ACK, offered; the flags hold the ECN bits. */
  declare offered: { flags: number; options: TcpOptions } | undefined;

  /** How many segments it sent. */
  declare segments: number;
  /** How many of those took up sequence space: payload, SYN or FIN. */
  declare sending: number;
  /** How many of those had been sent before. */
  declare resent: number;
  /** How many SYN, or SYN+ACK, it sent. */
  declare syns: number;
  /** The milliseconds between them: its back-off. */
  declare synGaps: readonly number[];
  /** When it last sent one, in milliseconds since the tracker's origin. */
  declare lastSynAt: number;
  /** How many bytes of payload it sent, each counted once. */
  declare bytes: number;
  /** How many probes it sent to see whether the other end still lives. */
  declare keepAlives: number;
  /** Whether it sent anything after its SYN. */
  declare hasSentData: boolean;
  /** Whether it sent a FIN. */
  declare hasFin: boolean;
  /** The sequence number of its FIN. */
  declare fin: number;
  /** Whether its FIN was acknowledged. */
  declare isFinAcked: boolean;

  /** What it sent last, where the capture tells interfaces apart. */
  declare last: Sent | undefined;

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
    this.hasIsn = false;
    this.isn = 0;
    this.hasNext = false;
    this.next = 0;
    this.hasAcked = false;
    this.acked = 0;
    this.window = 0;
    this.windowScale = 0;
    this.offered = undefined;
    this.segments = 0;
    this.sending = 0;
    this.resent = 0;
    this.syns = 0;
    this.synGaps = NO_GAPS;
    this.lastSynAt = 0;
    this.bytes = 0;
    this.keepAlives = 0;
    this.hasSentData = false;
    this.hasFin = false;
    this.fin = 0;
    this.isFinAcked = false;
    this.last = undefined;
  }
}

const NO_GAPS: readonly number[] = [];
const NO_TUNNELS: readonly string[] = [];

/** A segment, as far as it tells it from others, and where it was seen. */
export interface Sent {
  /** Its sequence number. */
  seq: number;
  /** Its acknowledgement number. */
  ack: number;
  /** Its control bits. */
  flags: number;
  /** How many bytes of payload it carries. */
  length: number;
  /** When it was seen. */
  at: number;
  /** On which interface. */
  interface: number;
}

/** An ICMP error that answered one of the flow's segments. */
export interface Unreachable {
  /** The message's type and code. */
  readonly type: number;
  /** See {@linkcode type}. */
  readonly code: number;
  /** Who sent it. */
  readonly reporter: IpWords;
}

/** What a tracker knows of a flow when it begins. */
export interface FlowContext {
  /** The tracker's hash of both ends. */
  readonly hash: number;
  /** The second since 1970 that all times count from. */
  readonly origin: number;
  /** Whether its first segment is a SYN+ACK, which the server sends. */
  readonly isAnswer: boolean;
  /** Where its segments are kept, if they are. */
  readonly history: SegmentHistory | undefined;
}

/**
 * One attempt at a connection and what became of it. Its fields are declared here and set by
 * {@linkcode begin}, so that a tracker under a flood can use the same objects again.
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
  /** When its last segment was seen. */
  declare lastAt: number;

  /** Whether its SYN was not captured: who asked, and the states, are then not known. */
  declare isPartial: boolean;
  /** Whether both ends sent a SYN before they had seen the other's. */
  declare isSimultaneous: boolean;
  /** Whether data shows that a SYN+ACK, or the ACK after it, was missed by the capture. */
  declare isHandshakeIncomplete: boolean;
  /** When the first SYN+ACK was seen. */
  declare answeredAt: number | undefined;
  /** When the handshake was complete. */
  declare establishedAt: number | undefined;
  /** How often the server repeated its SYN+ACK though it had been acknowledged. */
  declare synAckRetransmits: number;
  /** Who sent the RST that ended it. */
  declare resetBy: Role | undefined;
  /** Who sent the first FIN, or the RST. */
  declare closedBy: Role | undefined;
  /** Whether each end sent its FIN before it saw the other's. */
  declare isSimultaneousClose: boolean;
  /** The first ICMP error about it. */
  declare unreachable: Unreachable | undefined;
  /** When nothing more was expected of it. */
  declare finishedAt: number | undefined;
  /** How many segments came after that. */
  declare late: number;
  /** Whether it left the tracker unfinished, to make room or because its ports were used again. */
  declare evicted: "full" | "reused" | undefined;
  /** Its segments one by one, where somebody wants to see them. */
  declare history: SegmentHistory | undefined;

  /** The tracker's hash of both ends. */
  declare hash: number;
  /** The next flow of the same hash. */
  declare chain: Flow | undefined;
  /** Neighbours in the tracker's lists. */
  declare older: Flow | undefined;
  /** See {@linkcode older}. */
  declare newer: Flow | undefined;

  /** A flow whose first segment is `segment`. */
  constructor(segment: Segment, context: FlowContext) {
    this.client.peer = this.server;
    this.server.peer = this.client;
    this.begin(segment, context);
  }

  /** Forgets all that was seen, and is the flow whose first segment is `segment`. */
  begin(segment: Segment, { hash, origin, isAnswer, history }: FlowContext): void {
    const { addresses, sourcePort, destinationPort } = segment;
    const source = isAnswer ? this.server : this.client;
    source.begin(addresses, { at: 0, port: sourcePort });
    source.peer.begin(addresses, { at: 4, port: destinationPort });
    this.hash = hash;
    this.origin = origin;
    this.history = history;
    this.startedAt = this.lastAt = segment.at;
    this.isPartial = false;
    this.isSimultaneous = false;
    this.isHandshakeIncomplete = false;
    this.answeredAt = undefined;
    this.establishedAt = undefined;
    this.synAckRetransmits = 0;
    this.resetBy = undefined;
    this.closedBy = undefined;
    this.isSimultaneousClose = false;
    this.unreachable = undefined;
    this.finishedAt = undefined;
    this.late = 0;
    this.evicted = undefined;
    this.chain = undefined;
    this.older = undefined;
    this.newer = undefined;
  }

  /** Whether both ends are the same address and port, as when a socket connects to itself. */
  get isToItself(): boolean {
    const { client, server } = this;
    return client.port === server.port &&
      addressText(client.address) === addressText(server.address);
  }
}

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
