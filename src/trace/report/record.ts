/**
 * The JSON object of a connection, printed by `outlet trace --json`.
 *
 * @module
 */
import { addressText, endpointText, isIpv4Mapped } from "../decode/ip_address.ts";
import type { End } from "../track/end.ts";
import type { Flow } from "../track/flow.ts";
import { describeIcmpError } from "../decode/icmp.ts";
import { missingLength } from "../track/sequence_space.ts";
import type { Role, State } from "../track/state.ts";
import { recordOfSyn, type SynRecord } from "./syn_options.ts";
import { diagnose } from "./diagnosis.ts";
import type { ListenerState } from "./listener_state.ts";
import type { Outcome } from "./outcome.ts";

/**
 * A connection as printed by `outlet trace --json`. Fields may be added, but are not changed or
 * removed.
 */
export interface HandshakeRecord {
  /** End that sent the SYN; without one, the source of the first segment. */
  readonly client: EndRecord;
  /** The other end. */
  readonly server: EndRecord;
  /** Time of the first segment: ISO 8601 in UTC, with microseconds. */
  readonly start: string;
  /** Outcome. */
  readonly verdict: Outcome;
  /** Outcome as text. */
  readonly words: string;
  /** What to check next, or null. */
  readonly next: string | null;
  /** Milliseconds from the first SYN to the first SYN+ACK. */
  readonly answeredMs: number | null;
  /** Milliseconds from the first SYN to the ACK that completed the handshake. */
  readonly establishedMs: number | null;
  /** Milliseconds from the first segment to the last. */
  readonly durationMs: number;
  /** End that sent the first FIN, or the RST. */
  readonly closedBy: Role | "both" | null;
  /** How it was closed. */
  readonly closedHow: "fin" | "reset" | null;
  /** Whether its SYN was not captured. */
  readonly beganBefore: boolean;
  /** ICMP error about it. */
  readonly unreachable: { readonly reporter: string; readonly words: string } | null;
  /** Simultaneous open (RFC 9293, 3.5). */
  readonly simultaneousOpen: boolean;
  /** ISNs of other SYN+ACKs for the same SYN, which the client did not acknowledge. */
  readonly otherIsns: readonly number[];
  /** Segments that answered another SYN on the same ports. */
  readonly strayAnswers: number;
  /** Segments after the end of the connection. */
  readonly late: number;
  /** Segments captured more than once; they are counted once. */
  readonly copies: number;
  /** Whether segments were captured in another order than they were sent. */
  readonly reordered: boolean;
  /** Largest step back of the capture clock, in milliseconds. */
  readonly clockBackMs: number;
  /** Whether this updates an earlier object of the same connection. */
  readonly continued: boolean;
}

/** One end of a {@linkcode HandshakeRecord}. */
export interface EndRecord {
  /** Address and port. */
  readonly address: string;
  /** VLANs and tunnels of its segments, outermost first, such as `VXLAN 42`. */
  readonly through: readonly string[];
  /** TCP state that its segments prove. */
  readonly state: State;
  /** Initial sequence number. */
  readonly isn: number | null;
  /** Options and ECN bits of its SYN or SYN+ACK; null if not captured. */
  readonly syn: SynRecord | null;
  /** SYN, or SYN+ACK, retransmissions. */
  readonly synRetransmits: number;
  /** Milliseconds before each of those. */
  readonly backoffMs: readonly number[];
  /** Segments sent. */
  readonly segments: number;
  /** Retransmissions. */
  readonly retransmits: number;
  /** Keep-alive probes sent. */
  readonly keepAlives: number;
  /** Payload bytes sent, without retransmissions. */
  readonly bytes: number;
  /** Out-of-order segments. */
  readonly outOfOrder: number;
  /** Zero-window probes sent. */
  readonly windowProbes: number;
  /** Bytes sent but not captured, as far as sequence numbers show. */
  readonly missingBytes: number;
}

/** Converts a flow to its JSON object. */
export function recordOf(flow: Flow, listener?: ListenerState): HandshakeRecord {
  const { outcome, text, next } = diagnose(flow, listener);
  const { unreachable } = flow;
  return {
    client: recordOfEnd(flow.client),
    server: recordOfEnd(flow.server),
    start: isoTime(flow),
    verdict: outcome,
    words: text,
    next: next ?? null,
    answeredMs: since(flow.synAt, flow.synAckAt),
    establishedMs: since(flow.synAt, flow.establishedAt),
    durationMs: rounded(flow.lastAt - flow.startedAt),
    closedBy: (flow.isSimultaneousClose ? "both" : flow.closedBy) ?? null,
    closedHow: closedHow(flow),
    beganBefore: flow.isPartial,
    unreachable: unreachable === undefined ? null : {
      reporter: addressText(unreachable.source),
      words: describeIcmpError({ ...unreachable, isVersion6: !isIpv4Mapped(flow.client.address) }),
    },
    simultaneousOpen: flow.isSimultaneous,
    otherIsns: flow.otherSynAckIsns,
    strayAnswers: flow.strayAnswers,
    late: flow.late,
    copies: flow.duplicates,
    reordered: flow.isReordered,
    clockBackMs: rounded(flow.clockBack),
    continued: flow.isReported,
  };
}

function recordOfEnd(end: End): EndRecord {
  return {
    address: endpointText(end.address, end.port),
    through: end.tunnels,
    state: end.state,
    isn: end.hasIsn ? end.isn : null,
    syn: end.syn === undefined ? null : recordOfSyn(end.syn),
    synRetransmits: Math.max(0, end.syns - 1),
    backoffMs: end.synIntervals.map(rounded),
    segments: end.segments,
    retransmits: end.retransmissions,
    keepAlives: end.keepAlives,
    bytes: end.bytes,
    outOfOrder: end.outOfOrder,
    windowProbes: end.windowProbes,
    missingBytes: missingLength(end),
  };
}

function closedHow(flow: Flow): "fin" | "reset" | null {
  if (flow.reset !== undefined) return "reset";
  return flow.closedBy === undefined ? null : "fin";
}

function since(from: number | undefined, at: number | undefined): number | null {
  return from === undefined || at === undefined || at < from ? null : rounded(at - from);
}

/** Rounds to microseconds. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

const LAST_SECOND = 8.64e12;

/** Start time of a flow: ISO 8601 in UTC, with microseconds; clamped to the range of Date. */
export function isoTime({ origin, startedAt }: Flow): string {
  const microseconds = Math.round(startedAt * 1000);
  const seconds = origin + Math.floor(microseconds / 1e6);
  const inRange = Math.max(-LAST_SECOND, Math.min(LAST_SECOND, seconds));
  const fraction = ((microseconds % 1e6) + 1e6) % 1e6;
  const iso = new Date(inRange * 1000).toISOString();
  return iso.replace(/\.\d+Z$/, `.${String(fraction).padStart(6, "0")}Z`);
}
