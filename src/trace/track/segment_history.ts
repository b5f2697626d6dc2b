/**
 * The segments of a flow, as a ladder shows them.
 *
 * @module
 */
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

/**
 * What is remarkable about a segment.
 *
 * - `again`: all of it had been seen before.
 * - `overtaken`: bytes that follow it were seen first, a moment before.
 * - `fills-gap`: the same, longer before: it was overtaken, or sent again after a loss that was not captured.
 * - `stray`: it belongs to another connection of the same ports, old or forged.
 * - `other-answer`: a SYN+ACK for the right SYN, with another ISN than the one that counts.
 * - `ignored`: the other end cannot have accepted it.
 * - `late`: it came after the end.
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

/** What every line of a ladder tells. */
export interface EntryBase {
  /** When, in milliseconds since the flow's origin. */
  readonly time: number;
  /** The client's state after it. */
  readonly client: State;
  /** The server's state after it. */
  readonly server: State;
}

/** One segment of a flow. */
export interface SegmentEntry extends EntryBase {
  /** Tells it from the other lines. */
  readonly kind: "segment";
  /** Who sent it. */
  readonly from: Role;
  /** Its control bits. */
  readonly flags: number;
  /** Its sequence number. */
  readonly seq: number;
  /** Its acknowledgement number. */
  readonly ack: number;
  /** How many bytes of payload it carries. */
  readonly length: number;
  /** What is remarkable about it. */
  readonly analysis: SegmentAnalysis;
  /** By how many milliseconds the capture's clock had gone back before it, if it had. */
  readonly clockBack?: number;
  /** What it offered, if it is a SYN. */
  readonly options?: TcpOptions;
}

/** An ICMP error about a segment of a flow. */
export interface IcmpErrorEntry extends EntryBase {
  /** Tells it from the other lines. */
  readonly kind: "icmp";
  /** What it says. */
  readonly description: string;
}

/** Segments that were left out; the states are those after the last of them. */
export interface OmittedEntry extends EntryBase {
  /** Tells it from the other lines. */
  readonly kind: "omitted";
  /** How many there were. */
  readonly segments: number;
  /** How many bytes of payload the client sent in them. */
  readonly clientBytes: number;
  /** How many bytes of payload the server sent in them. */
  readonly serverBytes: number;
  /** How many ICMP errors there were. */
  readonly icmpErrors: number;
}

/** One line of a ladder. */
export type HistoryEntry = SegmentEntry | IcmpErrorEntry | OmittedEntry;

/** How many segments that carry only data, or acknowledge it, are shown one by one. */
const MAX_ORDINARY = 6;
/** How many lines there are before all but those that change a state is left out. */
const MAX_ENTRIES = 48;
/** How many lines there are at all. */
const MAX_ENTRIES_WITH_CHANGES = 80;

/** What decides whether a segment is shown. */
export interface Importance {
  /** Whether it only carries data, or acknowledges it. */
  readonly isOrdinary: boolean;
  /** Whether an end's state is another one after it. */
  readonly changesState: boolean;
}

/** The segments of a flow in their order: all of those that matter, and the first of the others. */
export class SegmentHistory {
  /** What was kept. */
  readonly entries: HistoryEntry[] = [];
  #ordinary = 0;

  /** Adds a segment, or counts it in a gap if there are too many of its kind. */
  add(line: SegmentEntry, { isOrdinary, changesState }: Importance): void {
    if (isOrdinary) this.#ordinary += 1;
    const isLeftOut = isOrdinary && this.#ordinary > MAX_ORDINARY;
    const limit = changesState ? MAX_ENTRIES_WITH_CHANGES : MAX_ENTRIES;
    if (isLeftOut || this.entries.length >= limit) this.#omit(line);
    else this.entries.push(line);
  }

  /** Adds an ICMP error. */
  addIcmpError(line: IcmpErrorEntry): void {
    if (this.entries.length < MAX_ENTRIES) this.entries.push(line);
    else this.#omit(line);
  }

  #omit(line: SegmentEntry | IcmpErrorEntry): void {
    const last = this.entries.at(-1);
    const gap = last?.kind === "omitted" ? this.entries.pop() as OmittedEntry : undefined;
    const isSegment = line.kind === "segment";
    this.entries.push({
      kind: "omitted",
      time: gap?.time ?? line.time,
      segments: (gap?.segments ?? 0) + (isSegment ? 1 : 0),
      clientBytes: (gap?.clientBytes ?? 0) + bytesFrom("client", line),
      serverBytes: (gap?.serverBytes ?? 0) + bytesFrom("server", line),
      icmpErrors: (gap?.icmpErrors ?? 0) + (isSegment ? 0 : 1),
      client: line.client,
      server: line.server,
    });
  }
}

function bytesFrom(role: Role, line: SegmentEntry | IcmpErrorEntry): number {
  return line.kind === "segment" && line.from === role ? line.length : 0;
}
