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
export type Mark =
  | ""
  | "again"
  | "overtaken"
  | "fills-gap"
  | "keep-alive"
  | "window-probe"
  | "stray"
  | "other-answer"
  | "ignored"
  | "late";

/** What every line of a ladder tells. */
export interface Moment {
  /** When, in milliseconds since the flow's origin. */
  readonly at: number;
  /** The client's state after it. */
  readonly client: State;
  /** The server's state after it. */
  readonly server: State;
}

/** One segment of a flow. */
export interface SegmentLine extends Moment {
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
  readonly mark: Mark;
  /** By how many milliseconds the capture's clock had gone back before it, if it had. */
  readonly clockBack?: number;
  /** What it offered, if it is a SYN. */
  readonly options?: TcpOptions;
}

/** An ICMP error about a segment of a flow. */
export interface ReportLine extends Moment {
  /** Tells it from the other lines. */
  readonly kind: "report";
  /** What it says. */
  readonly words: string;
}

/** Segments that were left out; the states are those after the last of them. */
export interface GapLine extends Moment {
  /** Tells it from the other lines. */
  readonly kind: "gap";
  /** How many there were. */
  readonly segments: number;
  /** How many bytes of payload the client sent in them. */
  readonly clientBytes: number;
  /** How many bytes of payload the server sent in them. */
  readonly serverBytes: number;
  /** How many ICMP errors there were. */
  readonly reports: number;
}

/** One line of a ladder. */
export type Line = SegmentLine | ReportLine | GapLine;

/** How many segments that carry only data, or acknowledge it, are shown one by one. */
const ORDINARY_SHOWN = 6;
/** How many lines there are before all but those that change a state is left out. */
const MOST_LINES = 48;
/** How many lines there are at all. */
const LIMIT = 80;

/** What decides whether a segment is shown. */
export interface Weight {
  /** Whether it only carries data, or acknowledges it. */
  readonly isOrdinary: boolean;
  /** Whether an end's state is another one after it. */
  readonly isChange: boolean;
}

/** The segments of a flow in their order: all of those that matter, and the first of the others. */
export class SegmentHistory {
  /** What was kept. */
  readonly lines: Line[] = [];
  #ordinary = 0;

  /** Adds a segment, or counts it in a gap if there are too many of its kind. */
  add(line: SegmentLine, { isOrdinary, isChange }: Weight): void {
    if (isOrdinary) this.#ordinary += 1;
    const isLeftOut = isOrdinary && this.#ordinary > ORDINARY_SHOWN;
    const limit = isChange ? LIMIT : MOST_LINES;
    if (isLeftOut || this.lines.length >= limit) this.#leaveOut(line);
    else this.lines.push(line);
  }

  /** Adds an ICMP error. */
  addReport(line: ReportLine): void {
    if (this.lines.length < MOST_LINES) this.lines.push(line);
    else this.#leaveOut(line);
  }

  #leaveOut(line: SegmentLine | ReportLine): void {
    const last = this.lines.at(-1);
    const gap = last?.kind === "gap" ? this.lines.pop() as GapLine : undefined;
    const isSegment = line.kind === "segment";
    this.lines.push({
      kind: "gap",
      at: gap?.at ?? line.at,
      segments: (gap?.segments ?? 0) + (isSegment ? 1 : 0),
      clientBytes: (gap?.clientBytes ?? 0) + bytesFrom("client", line),
      serverBytes: (gap?.serverBytes ?? 0) + bytesFrom("server", line),
      reports: (gap?.reports ?? 0) + (isSegment ? 0 : 1),
      client: line.client,
      server: line.server,
    });
  }
}

function bytesFrom(role: Role, line: SegmentLine | ReportLine): number {
  return line.kind === "segment" && line.from === role ? line.length : 0;
}
