/**
 * Builds ladder diagrams of connections, as in RFC 9293, 3.5.
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
import { diagnose, type Diagnosis } from "./diagnosis.ts";
import type { ListenerState } from "./listener_state.ts";

/** Kind of a rung, which sets its colour. */
export type Tone = "handshake" | "data" | "closing" | "failure" | "anomaly" | "inferred";

/** One line of a ladder. */
export interface Rung {
  /** Time since the first segment. */
  readonly elapsed: string;
  /** Direction of the segment; `none` if the rung is no segment. */
  readonly direction: "right" | "left" | "none";
  /** Text of the rung. */
  readonly label: string;
  /** Kind of the rung. */
  readonly tone: Tone;
  /** The client's state after it. */
  readonly clientState: string;
  /** The server's state after it. */
  readonly serverState: string;
}

/** A ladder diagram, ready to be rendered. */
export interface Ladder {
  /** Label of the client. */
  readonly client: string;
  /** Label of the server. */
  readonly server: string;
  /** Time of the first segment and tunnels, or the source of an inferred ladder. */
  readonly when: string;
  /** Rungs from top to bottom. */
  readonly rungs: readonly Rung[];
  /** Options of each SYN and SYN+ACK. */
  readonly offers: readonly string[];
  /** Notes on the whole flow: ISNs, bytes, retransmissions. */
  readonly notes: readonly string[];
  /** Outcome of the attempt. */
  readonly diagnosis: Diagnosis;
}

/** Maximum label length for lines of 80 columns. */
export const LABEL_WIDTH = 40;

/** Options of {@linkcode ladderOf}. */
export interface LadderOptions {
  /** Whether sequence numbers are relative to the ISNs. */
  readonly isRelative?: boolean;
  /** State of the server's socket, if it is on this machine. */
  readonly listener?: ListenerState | undefined;
  /** Index of the first history entry to show; default 0. */
  readonly firstEntry?: number | undefined;
}

/** Builds the ladder of a flow with a history. */
export function ladderOf(flow: Flow, options: LadderOptions = {}): Ladder {
  const { client, server, hasRoles } = flow;
  const entries = flow.history?.entries.slice(options.firstEntry ?? 0) ?? [];
  return {
    client: `${hasRoles ? "client " : ""}${endpointText(client.address, client.port)}`,
    server: `${hasRoles ? "server " : ""}${endpointText(server.address, server.port)}`,
    when: [isoTime(flow), ...tunnelText(flow), ...options.firstEntry ? ["(continued)"] : []].join(
      " ",
    ),
    rungs: entries.flatMap((entry) => rungsOf(flow, entry, options)),
    offers: describeSyns(synsOf(entries)),
    notes: notesOf(flow),
    diagnosis: diagnose(flow, options.listener),
  };
}

function rungsOf(
  flow: Flow,
  entry: HistoryEntry,
  { isRelative = false, listener }: LadderOptions,
): Rung[] {
  const common = {
    elapsed: formatElapsed(entry.time - flow.startedAt),
    clientState: stateText(entry.client),
    serverState: isListening(flow, entry, listener) ? "LISTEN" : stateText(entry.server),
  };
  if (entry.kind === "icmp") {
    return [{ ...common, direction: "none", label: `ICMP: ${entry.description}`, tone: "failure" }];
  }
  if (entry.kind === "omitted") {
    return [{ ...common, direction: "none", label: omittedLabel(entry), tone: "data" }];
  }
  const rung: Rung = {
    ...common,
    direction: entry.from === "client" ? "right" : "left",
    label: segmentLabel(isRelative ? relativeTo(flow, entry) : entry),
    tone: toneOf(entry),
  };
  return entry.clockBack === undefined ? [rung] : [clockRung(common, entry.clockBack), rung];
}

function clockRung(common: Omit<Rung, "direction" | "label" | "tone">, back: number): Rung {
  const label = `the capture's clock went back ${formatDuration(back)}`;
  return { ...common, direction: "none", label, tone: "failure" };
}

function stateText(state: State): string {
  return state === "UNKNOWN" ? "?" : state;
}

/** Whether the server is in LISTEN: proved by a later SYN+ACK, or reported by the kernel. */
function isListening(
  flow: Flow,
  entry: HistoryEntry,
  listener: ListenerState | undefined,
): boolean {
  if (entry.server !== "UNKNOWN" || !flow.hasRoles || entry.client === "CLOSED") return false;
  return flow.synAt !== undefined &&
    (flow.synAckAt !== undefined || listener?.isListening === true);
}

function toneOf({ flags, analysis, length }: SegmentEntry): Tone {
  if ((flags & RST) !== 0) return "failure";
  if (analysis !== "" && analysis !== "keep-alive" && analysis !== "window-probe") {
    return "anomaly";
  }
  if ((flags & SYN) !== 0) return "handshake";
  if ((flags & FIN) !== 0) return "closing";
  return length > 0 ? "data" : "handshake";
}

function relativeTo(flow: Flow, entry: SegmentEntry): SegmentEntry {
  const end = flow[entry.from];
  return {
    ...entry,
    seq: end.hasIsn ? advance(entry.seq, -end.isn) : entry.seq,
    ack: end.peer.hasIsn ? advance(entry.ack, -end.peer.isn) : entry.ack,
  };
}

function segmentLabel(entry: SegmentEntry): string {
  const prefix = entry.analysis === "retransmission" ? "↻ " : "";
  const parts = [prefix + segmentName(entry), `seq=${entry.seq}`];
  // The acknowledgment number shows why the segment is stray.
  if ((entry.flags & ACK) !== 0) {
    parts.splice(entry.analysis === "stray" ? 1 : 2, 0, `ack=${entry.ack}`);
  }
  if (entry.options !== undefined) parts.push(...synOptionParts(entry.options));
  let label = parts.join(" ");
  while (label.length > LABEL_WIDTH && parts.length > 1) {
    parts.pop();
    label = parts.join(" ");
  }
  return label;
}

/** Label prefix by analysis. */
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

function synsOf(entries: readonly HistoryEntry[]): SynOffer[] {
  return entries.flatMap((entry) =>
    entry.kind === "segment" && entry.options !== undefined
      ? [{ flags: entry.flags, options: entry.options }]
      : []
  );
}
