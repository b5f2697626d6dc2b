import type { Role, State } from "./state.ts";
import type { TcpOptions } from "./tcp_options.ts";

/** What is remarkable about a segment. */
export type Mark = "" | "again" | "keep-alive" | "ignored" | "late";

/** One segment of a flow. */
export interface SegmentLine {
  readonly kind: "segment";
  readonly at: number;
  readonly from: Role;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly length: number;
  readonly mark: Mark;
  /** What its SYN offered. */
  readonly options?: TcpOptions;
  /** Each end's state after it. */
  readonly client: State;
  readonly server: State;
}

/** An ICMP error about a segment of a flow. */
export interface ReportLine {
  readonly kind: "report";
  readonly at: number;
  readonly words: string;
  readonly client: State;
  readonly server: State;
}

/** Segments that were left out. */
export interface GapLine {
  readonly kind: "gap";
  readonly at: number;
  segments: number;
  clientBytes: number;
  serverBytes: number;
  client: State;
  server: State;
}

/** One line of a ladder. */
export type Line = SegmentLine | ReportLine | GapLine;

/** How many segments that carry only data, or acknowledge it, are shown one by one. */
const ORDINARY_SHOWN = 6;
const MOST_LINES = 48;

/** The segments of a flow in their order: all of those that matter, and the first of the others. */
export class History {
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

  #leaveOut(line: SegmentLine): void {
    let gap = this.lines.at(-1);
    if (gap?.kind !== "gap") {
      const { at, client, server } = line;
      gap = { kind: "gap", at, segments: 0, clientBytes: 0, serverBytes: 0, client, server };
      this.lines.push(gap);
    }
    gap.segments += 1;
    if (line.from === "client") gap.clientBytes += line.length;
    else gap.serverBytes += line.length;
    gap.client = line.client;
    gap.server = line.server;
  }
}
