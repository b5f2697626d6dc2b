/**
 * Describes the outcome of a connection attempt and what to check next.
 *
 * @module
 */
import { endpointText } from "../decode/ip_address.ts";
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import type { Role } from "../track/state.ts";
import {
  describeHalfOpen,
  describeMismatch,
  describeReset,
  describeUnanswered,
  describeUnreachable,
} from "./failure_text.ts";
import { type FlowOutcome, type Outcome, outcomeOf } from "./outcome.ts";
import { describeRefused, resetSenderText } from "./reset_text.ts";
import type { ListenerState } from "./listener_state.ts";
import { describeStalled } from "./stall_text.ts";
import type { DiagnosisText } from "./diagnosis_text.ts";

/** The outcome of a connection attempt, described. */
export interface Diagnosis extends DiagnosisText {
  /** Outcome. */
  readonly outcome: Outcome;
}

/** Describes a flow; `listener` is the server's socket state if it is on this machine. */
export function diagnose(flow: Flow, listener?: ListenerState): Diagnosis {
  const outcome = outcomeOf(flow);
  return { outcome, ...describe(outcome, flow, listener) };
}

function describe(
  outcome: FlowOutcome,
  flow: Flow,
  listener: ListenerState | undefined,
): DiagnosisText {
  switch (outcome) {
    case "established":
      return { text: `${establishedText(flow)}; ${closingText(flow)}.` };
    case "refused":
      return describeRefused(flow, listener);
    case "reset":
      return describeReset(flow);
    case "half-open":
      return describeHalfOpen(flow);
    case "stalled":
      return describeStalled(flow, listener);
    case "mismatch":
      return describeMismatch(flow);
    case "unanswered":
      return describeUnanswered(flow, listener);
    case "unreachable":
      return describeUnreachable(flow);
    case "partial":
      return { text: `${partialText(flow)}; ${closingText(flow)}.` };
  }
}

function partialText({ mayContinueEvicted }: Flow): string {
  return mayContinueEvicted
    ? "Began before the capture, or was evicted in between"
    : "Began before the capture";
}

function establishedText(flow: Flow): string {
  const duration = (flow.establishedAt ?? 0) - (flow.synAt ?? flow.startedAt);
  const facts = handshakeFacts(flow);
  // The duration is unknown if the SYN was captured late.
  const within = duration > 0 || !flow.isReordered ? ` in ${formatDuration(duration)}` : "";
  return `Established${within}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
}

function handshakeFacts(flow: Flow): string[] {
  const { client, server } = flow;
  const facts: string[] = [];
  if (flow.isSimultaneous) facts.push("simultaneous open");
  if (client.syns > 1) facts.push(`SYN sent ${client.syns} times`);
  if (server.syns > 1) {
    facts.push(`${flow.isSimultaneous ? "the other SYN" : "SYN+ACK"} sent ${server.syns} times`);
  }
  if (client.synPayload > 0) facts.push(fastOpenFact(flow));
  if (flow.strayAnswers > 0) facts.push("an old connection on these ports answered first");
  if (flow.isHandshakeIncomplete) facts.push("part of the handshake was not captured");
  return facts;
}

/** The SYN+ACK acknowledges the SYN with or without its data (RFC 7413, 4.2). */
function fastOpenFact(
  { client: { synPayload, synPayloadAcked } }: Flow,
): string {
  const bytes = synPayload === 1 ? "1 byte" : `${synPayload} bytes`;
  return synPayloadAcked >= synPayload
    ? `TCP Fast Open: ${bytes} acknowledged with the SYN`
    : `${bytes} in the SYN, not acknowledged with it`;
}

function closingText(flow: Flow): string {
  const { client, server, reset } = flow;
  const after = `after ${formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt)}`;
  if (reset !== undefined) {
    const isClosing = client.hasFin || server.hasFin ? "while closing " : "";
    return `reset by ${nameOf(flow, reset.by)} ${isClosing}${after}${resetSenderText(flow)}`;
  }
  const ignoredReset = flow.hasIgnoredReset
    ? "; it continued after a reset, which was forged or lost (inferred)"
    : "";
  if (flow.closedBy === undefined) return openText(flow, after) + ignoredReset;
  if (!client.hasFin || !server.hasFin) {
    return `half-closed: ${nameOf(flow, flow.closedBy)} has finished sending${ignoredReset}`;
  }
  const who = flow.isSimultaneousClose ? "both ends at once" : nameOf(flow, flow.closedBy);
  return `closed by ${who} ${after}${closedText(flow)}${ignoredReset}`;
}

function openText({ evicted }: Flow, after: string): string {
  if (evicted === "reused") return "its ports were reused before it was closed";
  return evicted === "full" ? "evicted while open" : `open ${after}`;
}

function closedText(flow: Flow): string {
  if (flow.timeWaitResetBy !== undefined) {
    return `; a reset by ${nameOf(flow, flow.timeWaitResetBy)} then ended TIME_WAIT (RFC 1337)`;
  }
  return flow.finishedAt === undefined ? " (its last ACK was not captured)" : "";
}

/** Names an end by its role, or by its address if the role is unknown. */
function nameOf(flow: Flow, role: Role): string {
  return flow.hasRoles ? `the ${role}` : endpointText(flow[role].address, flow[role].port);
}
