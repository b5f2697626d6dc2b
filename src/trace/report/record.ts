/**
 * A handshake as a plain object: what `outlet trace --json` prints.
 *
 * @module
 */
import { addressText, endpointText, isIpv4Mapped } from "../decode/ip_address.ts";
import type { End, Flow } from "../track/flow.ts";
import { describeIcmpError } from "../decode/icmp.ts";
import { missingLength } from "../track/sequence_space.ts";
import type { Role, State } from "../track/state.ts";
import { recordOfSyn, type SynRecord } from "./syn_options.ts";
import { diagnose, type Outcome, type ServerView } from "./diagnosis.ts";

/** One handshake as `outlet trace --json` prints it. Fields may be added, none change or go. */
export interface HandshakeRecord {
  /** Who asked, or who was seen first in a flow that began before the capture. */
  readonly client: EndRecord;
  /** Who was asked. */
  readonly server: EndRecord;
  /** When the first segment was seen, to the microsecond, in UTC. */
  readonly start: string;
  /** What became of it. */
  readonly verdict: Outcome;
  /** The same in words. */
  readonly words: string;
  /** Where to look next. */
  readonly next: string | null;
  /** Milliseconds from the first SYN to the first SYN+ACK. */
  readonly answeredMs: number | null;
  /** Milliseconds from the first SYN to the ACK that completed the handshake. */
  readonly establishedMs: number | null;
  /** Milliseconds from the first segment to the last. */
  readonly durationMs: number;
  /** Who sent the first FIN, or the reset. */
  readonly closedBy: Role | "both" | null;
  /** How it was closed. */
  readonly closedHow: "fin" | "reset" | null;
  /** Whether its SYN came before the capture began. */
  readonly beganBefore: boolean;
  /** The ICMP error that answered it. */
  readonly unreachable: { readonly reporter: string; readonly words: string } | null;
  /** Whether both ends opened at once. */
  readonly simultaneousOpen: boolean;
  /** The ISNs of SYN+ACKs that answered the same SYN and do not count. */
  readonly otherIsns: readonly number[];
  /** How many segments answered another SYN of the same ports. */
  readonly strayAnswers: number;
  /** How many segments came after the end. */
  readonly late: number;
  /** How many segments were captured twice, and counted once. */
  readonly copies: number;
  /** Whether the capture shows segments in another order than the wire. */
  readonly reordered: boolean;
  /** By how many milliseconds the capture's clock went back, at most. */
  readonly clockBackMs: number;
  /** Whether the connection was told of before, and this is what became of it since. */
  readonly continued: boolean;
}

/** One end of a {@linkcode HandshakeRecord}. */
export interface EndRecord {
  /** Address and port. */
  readonly address: string;
  /** Through what its segments came, outermost first, such as `VXLAN 42`. */
  readonly through: readonly string[];
  /** The last state its segments prove. */
  readonly state: State;
  /** Its initial sequence number: j or k. */
  readonly isn: number | null;
  /** What its SYN, or SYN+ACK, offered; null where that was not seen. */
  readonly syn: SynRecord | null;
  /** How often it sent its SYN, or SYN+ACK, again. */
  readonly synRetransmits: number;
  /** The milliseconds before each of those. */
  readonly backoffMs: readonly number[];
  /** How many segments it sent. */
  readonly segments: number;
  /** How many of them it had sent before. */
  readonly retransmits: number;
  /** How many keep-alive probes it sent. */
  readonly keepAlives: number;
  /** How many bytes of payload it sent. */
  readonly bytes: number;
  /** How many of its segments came after bytes that follow them. */
  readonly outOfOrder: number;
  /** How many probes it sent into a closed window. */
  readonly windowProbes: number;
  /** How many bytes it sent that were not captured, as far as the others show. */
  readonly missingBytes: number;
}

/** A flow as a plain object for JSON. */
export function recordOf(flow: Flow, view?: ServerView): HandshakeRecord {
  const { outcome, words, next } = diagnose(flow, view);
  const { unreachable } = flow;
  return {
    client: recordOfEnd(flow.client),
    server: recordOfEnd(flow.server),
    start: isoTime(flow),
    verdict: outcome,
    words,
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

/** To the microsecond, which is as much as most captures tell. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

const LAST_SECOND = 8.64e12;

/** When a flow began: ISO 8601 in UTC, with microseconds, whatever the capture claims. */
export function isoTime({ origin, startedAt }: Flow): string {
  const microseconds = Math.round(startedAt * 1000);
  const seconds = origin + Math.floor(microseconds / 1e6);
  const inRange = Math.max(-LAST_SECOND, Math.min(LAST_SECOND, seconds));
  const fraction = ((microseconds % 1e6) + 1e6) % 1e6;
  const iso = new Date(inRange * 1000).toISOString();
  return iso.replace(/\.\d+Z$/, `.${String(fraction).padStart(6, "0")}Z`);
}
