/**
 * The history of a flow's segments, as shown in a ladder.
 *
 * @module
 */
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

/**
 * Result of a segment's analysis. Names follow Wireshark's `tcp.analysis` fields where there is
 * one.
 *
 * - `retransmission`: all its data was captured before.
 * - `out-of-order`: later data was captured shortly before it.
 * - `fills-gap`: later data was captured before it; out of order, or the retransmission of a
 * segment that was not captured.
 * - `stray`: belongs to another connection on the same ports, old or forged.
 * - `other-syn-ack`: answers the same SYN with another ISN than the one acknowledged.
 * - `ignored`: the other end cannot have accepted it.
 * - `late`: captured after the end of the connection.
 */
export type SegmentAnalysis =
  | ""
  | "retransmission"
  | "out-of-order"
  | "fills-gap"
  | "keep-alive"
  | "window-probe"
  | "stray"
  | "other-syn-ack"
  | "ignored"
  | "late";

/** Fields of every entry. */
export interface EntryBase {
  /** Time in milliseconds since the flow's origin. */
  readonly time: number;
  /** The client's state after it. */
  readonly client: State;
  /** The server's state after it. */
  readonly server: State;
}

/** A segment. */
export interface SegmentEntry extends EntryBase {
  /** Discriminant. */
  readonly kind: "segment";
  /** End that sent it. */
  readonly from: Role;
  /** Control bits. */
  readonly flags: number;
  /** Sequence number. */
  readonly seq: number;
  /** Acknowledgment number. */
  readonly ack: number;
  /** Payload length in bytes. */
  readonly length: number;
  /** Result of its analysis. */
  readonly analysis: SegmentAnalysis;
  /** Step back of the capture clock before it, in milliseconds. */
  readonly clockBack?: number;
  /** TCP options of a SYN. */
  readonly options?: TcpOptions;
}

/** An ICMP error. */
export interface IcmpErrorEntry extends EntryBase {
  /** Discriminant. */
  readonly kind: "icmp";
  /** Its name, such as `port unreachable`. */
  readonly description: string;
}

/** Segments that are not shown one by one; the states are those after the last of them. */
export interface OmittedEntry extends EntryBase {
  /** Discriminant. */
  readonly kind: "omitted";
  /** Number of segments. */
  readonly segments: number;
  /** Payload bytes from the client. */
  readonly clientBytes: number;
  /** Payload bytes from the server. */
  readonly serverBytes: number;
  /** Number of ICMP errors. */
  readonly icmpErrors: number;
}

/** One entry of a history. */
export type HistoryEntry = SegmentEntry | IcmpErrorEntry | OmittedEntry;

/** Maximum number of data and ACK segments shown. */
const MAX_ORDINARY = 6;
/** Maximum number of entries, except for segments that change a state. */
const MAX_ENTRIES = 48;
/** Maximum number of entries. */
const MAX_ENTRIES_WITH_CHANGES = 80;

/** Decides whether a segment is shown or counted. */
export interface Importance {
  /** Whether it carries only data or an ACK. */
  readonly isOrdinary: boolean;
  /** Whether it changed the state of an end. */
  readonly changesState: boolean;
}

/** Segments of a flow in order. Those beyond the limits are counted in {@linkcode OmittedEntry}. */
export class SegmentHistory {
  /** Recorded entries. */
  readonly entries: HistoryEntry[] = [];
  #ordinary = 0;

  /** Adds a segment, or counts it as omitted. */
  add(entry: SegmentEntry, { isOrdinary, changesState }: Importance): void {
    if (isOrdinary) this.#ordinary += 1;
    const isOmitted = isOrdinary && this.#ordinary > MAX_ORDINARY;
    const limit = changesState ? MAX_ENTRIES_WITH_CHANGES : MAX_ENTRIES;
    if (isOmitted || this.entries.length >= limit) this.#omit(entry);
    else this.entries.push(entry);
  }

  /** Adds an ICMP error. */
  addIcmpError(entry: IcmpErrorEntry): void {
    if (this.entries.length < MAX_ENTRIES) this.entries.push(entry);
    else this.#omit(entry);
  }

  #omit(entry: SegmentEntry | IcmpErrorEntry): void {
    const last = this.entries.at(-1);
    const omitted = last?.kind === "omitted" ? this.entries.pop() as OmittedEntry : undefined;
    const isSegment = entry.kind === "segment";
    this.entries.push({
      kind: "omitted",
      time: omitted?.time ?? entry.time,
      segments: (omitted?.segments ?? 0) + (isSegment ? 1 : 0),
      clientBytes: (omitted?.clientBytes ?? 0) + bytesFrom("client", entry),
      serverBytes: (omitted?.serverBytes ?? 0) + bytesFrom("server", entry),
      icmpErrors: (omitted?.icmpErrors ?? 0) + (isSegment ? 0 : 1),
      client: entry.client,
      server: entry.server,
    });
  }
}

function bytesFrom(role: Role, entry: SegmentEntry | IcmpErrorEntry): number {
  return entry.kind === "segment" && entry.from === role ? entry.length : 0;
}
