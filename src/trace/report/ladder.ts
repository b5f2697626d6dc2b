/**
 * A handshake as two poles with the segments between them: the model of every picture of it.
 *
 * @module
 */
import { endpointText } from "../decode/ip_words.ts";
import { formatElapsed } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import type { GapLine, Line, SegmentLine } from "../track/segment_history.ts";
import { isoTime } from "./record.ts";
import { ACK, FIN, RST, SYN } from "../decode/segment.ts";
import { advanced } from "../decode/sequence.ts";
import type { State } from "../track/state.ts";
import { type OfferedSyn, offersOf } from "./syn_options.ts";
import type { TcpOptions } from "../decode/tcp_options.ts";
import { diagnose, type Diagnosis, type ServerView } from "./diagnosis.ts";

/** What a rung is about, for its colour. */
export type Tone = "handshake" | "data" | "closing" | "failure" | "again" | "inferred";

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
  readonly verdict: Diagnosis;
}

/** The longest label that leaves an arrow room in a line of 80 columns. */
export const LABEL_WIDTH = 40;

/** How a ladder is drawn. */
export interface LadderOptions {
  /** Whether sequence numbers count from each end's ISN. */
  readonly isRelative?: boolean;
  /** What the kernel says where this machine is the server. */
  readonly view?: ServerView | undefined;
}

/** Draws a flow whose segments were kept. */
export function ladderOf(flow: Flow, options: LadderOptions = {}): Ladder {
  const { client, server, isPartial, answeredAt } = flow;
  const rolesKnown = !isPartial || answeredAt !== undefined;
  return {
    client: `${rolesKnown ? "client " : ""}${endpointText(client.address, client.port)}`,
    server: `${rolesKnown ? "server " : ""}${endpointText(server.address, server.port)}`,
    when: [isoTime(flow), ...throughWords(flow)].join(" "),
    rungs: (flow.history?.lines ?? []).map((line) => rungOf(flow, line, options)),
    offers: offersOf(synsOf(flow)),
    notes: notesOf(flow),
    verdict: diagnose(flow, options.view),
  };
}

function rungOf(flow: Flow, line: Line, { isRelative = false }: LadderOptions): Rung {
  const common = {
    elapsed: formatElapsed(line.at - flow.startedAt),
    clientState: shown(line.client),
    serverState: shown(line.server),
  };
  if (line.kind === "report") {
    return { ...common, direction: "none", label: `ICMP: ${line.words}`, tone: "failure" };
  }
  if (line.kind === "gap") {
    return { ...common, direction: "none", label: gapLabel(line), tone: "data" };
  }
  return {
    ...common,
    direction: line.from === "client" ? "right" : "left",
    label: segmentLabel(isRelative ? relativeTo(flow, line) : line),
    tone: toneOf(line),
  };
}

function shown(state: State): string {
  return state === "UNKNOWN" ? "?" : state;
}

function toneOf({ flags, mark, length }: SegmentLine): Tone {
  if ((flags & RST) !== 0) return "failure";
  if (mark === "again" || mark === "ignored") return "again";
  if ((flags & SYN) !== 0) return "handshake";
  if ((flags & FIN) !== 0) return "closing";
  return length > 0 ? "data" : "handshake";
}

function relativeTo(flow: Flow, line: SegmentLine): SegmentLine {
  const end = flow[line.from];
  return {
    ...line,
    seq: end.hasIsn ? advanced(line.seq, -end.isn) : line.seq,
    ack: end.peer.hasIsn ? advanced(line.ack, -end.peer.isn) : line.ack,
  };
}

function segmentLabel(line: SegmentLine): string {
  const prefix = line.mark === "again" ? "↻ " : "";
  const parts = [prefix + segmentName(line), `seq=${line.seq}`];
  if ((line.flags & ACK) !== 0) parts.push(`ack=${line.ack}`);
  if (line.options !== undefined) parts.push(...offered(line.options));
  let label = parts.join(" ");
  while (label.length > LABEL_WIDTH && parts.length > 1) {
    parts.pop();
    label = parts.join(" ");
  }
  return label;
}

function segmentName({ flags, length, mark }: SegmentLine): string {
  if (mark === "keep-alive") return "keep-alive";
  const names: string[] = [];
  if (mark === "ignored") names.push("ignored:");
  if (length > 0) names.push(`data ${length}`);
  const bits: string[] = [];
  if ((flags & SYN) !== 0) bits.push("SYN");
  if ((flags & FIN) !== 0) bits.push("FIN");
  if ((flags & RST) !== 0) bits.push("RST");
  if ((flags & ACK) !== 0 && length === 0) bits.push("ACK");
  if (bits.length > 0) names.push(bits.join("+"));
  return names.join(" ") || "no flags";
}

function offered({ mss, windowScale }: TcpOptions): string[] {
  const parts: string[] = [];
  if (mss !== undefined) parts.push(`mss=${mss}`);
  if (windowScale !== undefined) parts.push(`ws=${windowScale}`);
  return parts;
}

function gapLabel({ segments, clientBytes, serverBytes }: GapLine): string {
  return `⋮ ${segments} more: ${clientBytes} B →, ← ${serverBytes} B`;
}

/** In what the segments of both ends came, where that was more than a link. */
function throughWords({ client, server }: Flow): string[] {
  const there = client.through.join(", ");
  const back = server.through.join(", ");
  if (there === "" && back === "") return [];
  const isOne = there === back || server.segments === 0;
  return [isOne ? `in ${there}` : `in ${there || "no tunnel"} →, ← ${back || "no tunnel"}`];
}

function synsOf(flow: Flow): OfferedSyn[] {
  return (flow.history?.lines ?? []).flatMap((line) =>
    line.kind === "segment" && line.options !== undefined
      ? [{ flags: line.flags, options: line.options }]
      : []
  );
}

function notesOf(flow: Flow): string[] {
  const { client, server } = flow;
  const notes: string[] = [];
  if (client.hasIsn) {
    notes.push(`j = ${client.isn}${server.hasIsn ? `, k = ${server.isn}` : ""}`);
  }
  if (client.bytes + server.bytes > 0) {
    notes.push(`${client.bytes} bytes →, ← ${server.bytes} bytes`);
  }
  const resent = client.resent + server.resent;
  if (resent > 0) notes.push(`↻ sent again: ${resent}`);
  const keepAlives = client.keepAlives + server.keepAlives;
  if (keepAlives > 0) notes.push(`keep-alives: ${keepAlives}`);
  return notes;
}
