/**
 * The segments of a flow, as a ladder shows them.
 *
 * @module
 */
import type { Role, State } from "./state.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";

/** What is remarkable about a segment. */
export type Mark = "" | "again" | "keep-alive" | "ignored";

/** What every line of a ladder tells. */
export interface Moment {
  /** When, in milliseconds since the tracker's origin. */
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
}

/** One line of a ladder. */
export type Line = SegmentLine | ReportLine | GapLine;

/** How many segments that carry only data, or acknowledge it, are shown one by one. */
const ORDINARY_SHOWN = 6;
const MOST_LINES = 48;

/** The segments of a flow in their order: all of those that matter, and the first of the others. */
export class SegmentHistory {
  /** What was kept. */
  readonly lines: Line[] = [];
  #ordinary = 0;

  /** Adds a segment, or counts it in a gap if there are too many of its kind. */
  add(line: SegmentLine, { isOrdinary }: { isOrdinary: boolean }): void {
    if (isOrdinary) this.#ordinary += 1;
    const isLeftOut = isOrdinary && this.#ordinary > ORDINARY_SHOWN;
    if (isLeftOut || this.lines.length >= MOST_LINES) this.#leaveOut(line);
    else this.lines.push(line);
  }

  /** Adds an ICMP error. */
  addReport(line: ReportLine): void {
    if (this.lines.length < MOST_LINES) this.lines.push(line);
  }

  #leaveOut({ at, from, length, client, server }: SegmentLine): void {
    const last = this.lines.at(-1);
    const gap = last?.kind === "gap" ? this.lines.pop() as GapLine : undefined;
    this.lines.push({
      kind: "gap",
      at: gap?.at ?? at,
      segments: (gap?.segments ?? 0) + 1,
      clientBytes: (gap?.clientBytes ?? 0) + (from === "client" ? length : 0),
      serverBytes: (gap?.serverBytes ?? 0) + (from === "server" ? length : 0),
      client,
      server,
    });
  }
}
