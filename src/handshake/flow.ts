/**
 * A connection as it is seen on the wire: two ends, and what became of it.
 *
 * @module
 */
import { addressText, type AddressWords } from "./address_words.ts";
import type { History } from "./history.ts";
import type { Segment } from "./segment.ts";
import type { Role, State } from "./state.ts";

/** What one end of a connection has shown of itself. */
export class End {
  /** Its part in the handshake. */
  readonly role: Role;
  /** Where its address lies. */
  readonly address: AddressWords;
  /** Its port. */
  readonly port: number;
  /** The other end. */
  peer: End = this;
  /** Its state, as far as its segments prove it. */
  state: State = "UNKNOWN";

  /** Whether its SYN was seen, so that {@linkcode isn} holds. */
  hasIsn = false;
  /** Its initial sequence number: the handshake's j or k. */
  isn = 0;
  /** Whether it has sent anything that shows {@linkcode next}. */
  hasNext = false;
  /** The sequence number after the last one it used. */
  next = 0;
  /** Whether it has acknowledged anything. */
  hasAcked = false;
  /** The highest acknowledgement it sent. */
  acked = 0;
  /** The window it last offered, unscaled. */
  window = 0;
  /** By how many bits its window is shifted, as its SYN said. */
  windowScale = 0;
  /** The longest segment it takes, where its SYN said so. */
  mss: number | undefined;

  /** How many segments it sent. */
  segments = 0;
  /** How many of those took up sequence space: payload, SYN or FIN. */
  sending = 0;
  /** How many of those had been sent before. */
  resent = 0;
  /** How many SYN, or SYN+ACK, it sent. */
  syns = 0;
  /** The milliseconds between them: its back-off. */
  synGaps: readonly number[] = NO_GAPS;
  /** When it last sent one, in milliseconds since the tracker's origin. */
  lastSynAt = 0;
  /** How many bytes of payload it sent, each counted once. */
  bytes = 0;
  /** How many probes it sent to see whether the other end still lives. */
  keepAlives = 0;
  /** Whether it sent anything after its SYN. */
  hasSpoken = false;
  /** Whether it sent a FIN. */
  hasFin = false;
  /** The sequence number of its FIN. */
  fin = 0;
  /** Whether its FIN was acknowledged. */
  isFinAcked = false;

  /** What it sent last, where the capture tells interfaces apart. */
  last: Sent | undefined;

  /** An end that has shown nothing yet. */
  constructor(role: Role, address: AddressWords, port: number) {
    this.role = role;
    this.address = address;
    this.port = port;
  }
}

const NO_GAPS: readonly number[] = [];

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
  readonly reporter: AddressWords;
}

/** One attempt at a connection and what became of it. */
export class Flow {
  /** The end that asked; in a flow that began before the capture, whoever was seen first. */
  readonly client: End;
  /** The end that was asked. */
  readonly server: End;
  /** The second since 1970 that all times of the flow count from. */
  readonly origin: number;
  /** When its first segment was seen, in milliseconds since {@linkcode origin}. */
  readonly startedAt: number;
  /** When its last segment was seen. */
  lastAt: number;

  /** Whether its SYN was not captured: who asked, and the states, are then not known. */
  isPartial = false;
  /** Whether both ends sent a SYN before they had seen the other's. */
  isSimultaneous = false;
  /** Whether data shows that a SYN+ACK, or the ACK after it, was missed by the capture. */
  isHandshakeIncomplete = false;
  /** When the first SYN+ACK was seen. */
  answeredAt: number | undefined;
  /** When the handshake was complete. */
  establishedAt: number | undefined;
  /** How often the server repeated its SYN+ACK though it had been acknowledged. */
  unheededAcks = 0;
  /** Who sent the RST that ended it. */
  resetBy: Role | undefined;
  /** Who sent the first FIN, or the RST. */
  closedBy: Role | undefined;
  /** Whether each end sent its FIN before it saw the other's. */
  isSimultaneousClose = false;
  /** The first ICMP error about it. */
  unreachable: Unreachable | undefined;
  /** When nothing more was expected of it. */
  finishedAt: number | undefined;
  /** How many segments came after that. */
  late = 0;
  /** Whether it left the tracker unfinished, to make room or because its ports were used again. */
  leftEarly: "full" | "reused" | undefined;
  /** Its segments one by one, where somebody wants to see them. */
  readonly history: History | undefined;

  /** The tracker's hash of both ends. */
  readonly hash: number;
  /** The next flow of the same hash. */
  chain: Flow | undefined;
  /** Neighbours in the tracker's lists. */
  older: Flow | undefined;
  /** See {@linkcode older}. */
  newer: Flow | undefined;

  /** A flow whose first segment is `segment`. */
  constructor(
    segment: Segment,
    context: {
      hash: number;
      origin: number;
      isAnswer?: boolean;
      history?: History | undefined;
    },
  ) {
    const source = new End(
      context.isAnswer ? "server" : "client",
      addressAt(segment.addresses, 0),
      segment.sourcePort,
    );
    const destination = new End(
      context.isAnswer ? "client" : "server",
      addressAt(segment.addresses, 4),
      segment.destinationPort,
    );
    source.peer = destination;
    destination.peer = source;
    this.client = context.isAnswer ? destination : source;
    this.server = context.isAnswer ? source : destination;
    this.hash = context.hash;
    this.origin = context.origin;
    this.history = context.history;
    this.startedAt = this.lastAt = segment.at;
  }

  /** Whether both ends are the same address and port, as when a socket connects to itself. */
  get isToItself(): boolean {
    const { client, server } = this;
    return client.port === server.port &&
      addressText(client.address) === addressText(server.address);
  }
}

/** A plain array of four small numbers takes a fraction of what a typed one does. */
function addressAt(words: AddressWords, at: number): AddressWords {
  return [words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0];
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
