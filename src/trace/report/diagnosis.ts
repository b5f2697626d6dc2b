/**
 * What became of an attempt, in words, and where to look next.
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

export { type ListenerState as ServerView, type Outcome, outcomeOf };

/** An outcome in words, and where to look next if it is not what was hoped for. */
export interface Diagnosis extends DiagnosisText {
  /** One word for programs. */
  readonly outcome: Outcome;
}

/** What became of an attempt, in words; with the kernel's view where this machine is the server. */
export function diagnose(flow: Flow, view?: ListenerState): Diagnosis {
  const outcome = outcomeOf(flow);
  return { outcome, ...describe(outcome, flow, view) };
}

function describe(
  outcome: FlowOutcome,
  flow: Flow,
  view: ListenerState | undefined,
): DiagnosisText {
  switch (outcome) {
    case "established":
      return { words: `${establishedText(flow)}; ${closingText(flow)}.` };
    case "refused":
      return describeRefused(flow, view);
    case "reset":
      return describeReset(flow);
    case "half-open":
      return describeHalfOpen(flow);
    case "stalled":
      return describeStalled(flow, view);
    case "mismatch":
      return describeMismatch(flow);
    case "unanswered":
      return describeUnanswered(flow, view);
    case "unreachable":
      return describeUnreachable(flow);
    case "partial":
      return { words: `${partialText(flow)}; ${closingText(flow)}.` };
  }
}

function partialText({ mayContinueEvicted }: Flow): string {
  return mayContinueEvicted
    ? "Began before the capture, or was forgotten in between to make room"
    : "Began before the capture";
}

function establishedText(flow: Flow): string {
  const took = (flow.establishedAt ?? 0) - (flow.synAt ?? flow.startedAt);
  const facts = handshakeFacts(flow);
  // Where its SYN was captured after what it led to, nobody knows.
  const within = took > 0 || !flow.isReordered ? ` in ${formatDuration(took)}` : "";
  return `Established${within}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`;
}

function handshakeFacts(flow: Flow): string[] {
  const { client, server } = flow;
  const facts: string[] = [];
  if (flow.isSimultaneous) facts.push("both opened at once");
  if (client.syns > 1) facts.push(`SYN sent ${client.syns} times`);
  if (server.syns > 1) {
    facts.push(`${flow.isSimultaneous ? "the other SYN" : "SYN+ACK"} sent ${server.syns} times`);
  }
  if (client.synPayload > 0) facts.push(fastOpenFact(flow));
  if (flow.strayAnswers > 0) facts.push("an old connection of these ports answered first");
  if (flow.isHandshakeIncomplete) facts.push("a part of the handshake was not captured");
  return facts;
}

/** RFC 7413, section 4.2: the server may take the data of the SYN, or only the SYN. */
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
  const unheeded = flow.hasIgnoredReset
    ? "; it went on after a reset, which was forged or not heeded (inferred)"
    : "";
  if (flow.closedBy === undefined) return openText(flow, after) + unheeded;
  if (!client.hasFin || !server.hasFin) {
    return `half-closed: ${nameOf(flow, flow.closedBy)} has finished sending${unheeded}`;
  }
  const who = flow.isSimultaneousClose ? "both ends at once" : nameOf(flow, flow.closedBy);
  return `closed by ${who} ${after}${closedText(flow)}${unheeded}`;
}

function openText({ evicted }: Flow, after: string): string {
  if (evicted === "reused") return "its ports were used again before it was closed";
  return evicted === "full" ? "no longer followed, to make room" : `open ${after}`;
}

function closedText(flow: Flow): string {
  if (flow.timeWaitResetBy !== undefined) {
    return `; a reset by ${nameOf(flow, flow.timeWaitResetBy)} then ended TIME_WAIT (RFC 1337)`;
  }
  return flow.finishedAt === undefined ? " (its last ACK was not seen)" : "";
}

/** How an end is called: by its part in the handshake, or by its address if that was not seen. */
function nameOf(flow: Flow, role: Role): string {
  return flow.hasRoles ? `the ${role}` : endpointText(flow[role].address, flow[role].port);
}
