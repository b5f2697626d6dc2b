/**
 * A handshake as two poles with the segments between them: the model of every picture of it.
 *
 * @module
 */
import { endpointText } from "../decode/ip_address.ts";
import { formatDuration, formatElapsed } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import type {
  HistoryEntry,
  OmittedEntry,
  SegmentAnalysis,
  SegmentEntry,
} from "../track/segment_history.ts";
import { notesOf, tunnelText } from "./notes.ts";
import { isoTime } from "./record.ts";
import { ACK, FIN, RST, SYN } from "../decode/segment.ts";
import { advance } from "../decode/sequence.ts";
import type { State } from "../track/state.ts";
import { describeSyns, type SynOffer } from "./syn_options.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";
import { diagnose, type Diagnosis, type ServerView } from "./diagnosis.ts";

/** What a rung is about, for its colour. */
export type Tone = "handshake" | "data" | "closing" | "failure" | "retransmission" | "inferred";

/** One line of a ladder. */
export interface Rung {
  /** How long after the first one. */
  readonly elapsed: string;
  /** Which way the segment went; `none` where the line is about something else. */
  readonly direction: "right" | "left" | "none";
  /** The segment, or whatever the line is about. */
  readonly label: string;
  /** What it is about. */
  readonly tone: Tone;
  /** The client's state after it. */
  readonly clientState: string;
  /** The server's state after it. */
  readonly serverState: string;
}

/** A handshake as two poles with the segments between them. */
export interface Ladder {
  /** What stands above the left pole. */
  readonly client: string;
  /** What stands above the right pole. */
  readonly server: string;
  /** When the first segment was seen, or what the ladder rests on instead. */
  readonly when: string;
  /** The segments from top to bottom. */
  readonly rungs: readonly Rung[];
  /** What each SYN, and each SYN+ACK, offered. */
  readonly offers: readonly string[];
  /** Facts about the whole: both ISNs, bytes, what was sent again. */
  readonly notes: readonly string[];
  /** What became of it. */
  readonly diagnosis: Diagnosis;
}

/** The longest label that leaves an arrow room in a line of 80 columns. */
export const LABEL_WIDTH = 40;

/** How a ladder is drawn. */
export interface LadderOptions {
  /** Whether sequence numbers count from each end's ISN. */
  readonly isRelative?: boolean;
  /** What the kernel says where this machine is the server. */
  readonly listener?: ServerView | undefined;
  /** How many lines were shown before, so that only what came since is drawn. */
  readonly firstEntry?: number;
}

/** Draws a flow whose segments were kept. */
export function ladderOf(flow: Flow, options: LadderOptions = {}): Ladder {
  const { client, server, hasRoles } = flow;
  const lines = flow.history?.entries.slice(options.firstEntry ?? 0) ?? [];
  return {
    client: `${hasRoles ? "client " : ""}${endpointText(client.address, client.port)}`,
    server: `${hasRoles ? "server " : ""}${endpointText(server.address, server.port)}`,
    when: [isoTime(flow), ...tunnelText(flow), ...options.firstEntry ? ["(continued)"] : []].join(
      " ",
    ),
    rungs: lines.flatMap((line) => rungsOf(flow, line, options)),
    offers: describeSyns(synsOf(lines)),
    notes: notesOf(flow),
    diagnosis: diagnose(flow, options.listener),
  };
}

function rungsOf(
  flow: Flow,
  line: HistoryEntry,
  { isRelative = false, listener }: LadderOptions,
): Rung[] {
  const common = {
    elapsed: formatElapsed(line.time - flow.startedAt),
    clientState: stateText(line.client),
    serverState: isListening(flow, line, listener) ? "LISTEN" : stateText(line.server),
  };
  if (line.kind === "icmp") {
    return [{ ...common, direction: "none", label: `ICMP: ${line.description}`, tone: "failure" }];
  }
  if (line.kind === "omitted") {
    return [{ ...common, direction: "none", label: omittedLabel(line), tone: "data" }];
  }
  const rung: Rung = {
    ...common,
    direction: line.from === "client" ? "right" : "left",
    label: segmentLabel(isRelative ? relativeTo(flow, line) : line),
    tone: toneOf(line),
  };
  return line.clockBack === undefined ? [rung] : [clockRung(common, line.clockBack), rung];
}

function clockRung(common: Omit<Rung, "direction" | "label" | "tone">, back: number): Rung {
  const label = `the capture's clock went back ${formatDuration(back)}`;
  return { ...common, direction: "none", label, tone: "failure" };
}

function stateText(state: State): string {
  return state === "UNKNOWN" ? "?" : state;
}

/** A server listens before it answers a SYN: its SYN+ACK proves that, or the kernel says so. */
function isListening(flow: Flow, line: HistoryEntry, view: ServerView | undefined): boolean {
  if (line.server !== "UNKNOWN" || !flow.hasRoles || line.client === "CLOSED") return false;
  return flow.synAt !== undefined &&
    (flow.synAckAt !== undefined || view?.isListening === true);
}

function toneOf({ flags, analysis, length }: SegmentEntry): Tone {
  if ((flags & RST) !== 0) return "failure";
  if (analysis !== "" && analysis !== "keep-alive" && analysis !== "window-probe") {
    return "retransmission";
  }
  if ((flags & SYN) !== 0) return "handshake";
  if ((flags & FIN) !== 0) return "closing";
  return length > 0 ? "data" : "handshake";
}

function relativeTo(flow: Flow, line: SegmentEntry): SegmentEntry {
  const end = flow[line.from];
  return {
    ...line,
    seq: end.hasIsn ? advance(line.seq, -end.isn) : line.seq,
    ack: end.peer.hasIsn ? advance(line.ack, -end.peer.isn) : line.ack,
  };
}

function segmentLabel(line: SegmentEntry): string {
  const prefix = line.analysis === "retransmission" ? "↻ " : "";
  const parts = [prefix + segmentName(line), `seq=${line.seq}`];
  // What a stray segment acknowledges tells that it is one.
  if ((line.flags & ACK) !== 0) {
    parts.splice(line.analysis === "stray" ? 1 : 2, 0, `ack=${line.ack}`);
  }
  if (line.options !== undefined) parts.push(...synOptionParts(line.options));
  let label = parts.join(" ");
  while (label.length > LABEL_WIDTH && parts.length > 1) {
    parts.pop();
    label = parts.join(" ");
  }
  return label;
}

/** What stands before a segment that is not what the connection waited for. */
const PREFIXES: Readonly<Partial<Record<SegmentAnalysis, string>>> = {
  "out-of-order": "out of order",
  "fills-gap": "fills a gap",
  stray: "stray",
  "other-syn-ack": "another",
  ignored: "ignored",
  late: "late",
};

function segmentName({ flags, length, analysis }: SegmentEntry): string {
  if (analysis === "keep-alive") return "keep-alive";
  if (analysis === "window-probe") return "zero-window probe";
  const names: string[] = [];
  const prefix = PREFIXES[analysis];
  if (prefix !== undefined) names.push(`${prefix}:`);
  if (length > 0) names.push(`data ${length}`);
  const bits: string[] = [];
  if ((flags & SYN) !== 0) bits.push("SYN");
  if ((flags & FIN) !== 0) bits.push("FIN");
  if ((flags & RST) !== 0) bits.push("RST");
  if ((flags & ACK) !== 0 && length === 0) bits.push("ACK");
  if (bits.length > 0) names.push(bits.join("+"));
  return names.join(" ") || "no flags";
}

function synOptionParts({ mss, windowScale }: TcpOptions): string[] {
  const parts: string[] = [];
  if (mss !== undefined) parts.push(`mss=${mss}`);
  if (windowScale !== undefined) parts.push(`ws=${windowScale}`);
  return parts;
}

function omittedLabel(
  { segments, clientBytes, serverBytes, icmpErrors }: OmittedEntry,
): string {
  const errors = icmpErrors > 0 ? `, ${icmpErrors} ICMP` : "";
  return `⋮ ${segments} more: ${clientBytes} B →, ← ${serverBytes} B${errors}`;
}

function synsOf(lines: readonly HistoryEntry[]): SynOffer[] {
  return lines.flatMap((line) =>
    line.kind === "segment" && line.options !== undefined
      ? [{ flags: line.flags, options: line.options }]
      : []
  );
}
