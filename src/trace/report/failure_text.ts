/**
 * Attempts that came to nothing, in words.
 *
 * @module
 */
import { addressText, endpointText, isIpv4Mapped } from "../decode/ip_address.ts";
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import { describeIcmpError } from "../decode/icmp.ts";
import { resetSenderText } from "./reset_text.ts";
import { RST } from "../decode/segment.ts";
import { describeListener, type ListenerState } from "./listener_state.ts";
import { countText, type DiagnosisText, untilText } from "./diagnosis_text.ts";

/** A reset after the SYN+ACK, or by who had asked. */
export function describeReset(flow: Flow): DiagnosisText {
  const after = formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt);
  if (flow.synAckAt === undefined) {
    return { words: `Given up with a reset by the client after ${after}.` };
  }
  if (flow.reset?.by === "client") {
    return {
      words: `Reset by the client after the SYN+ACK, ${after} after its SYN${
        resetSenderText(flow)
      }.`,
      next: "A port scan looks like this, and a client that no longer waits.",
    };
  }
  return {
    words: `Reset by the server after its own SYN+ACK, ${after} after the SYN${
      resetSenderText(flow)
    }.`,
    next: "See who answers for the server: a load balancer or firewall without a live target?",
  };
}

/** A SYN+ACK that was not acknowledged. */
export function describeHalfOpen(flow: Flow): DiagnosisText {
  const { client, server, synAckAt } = flow;
  if (synAckAt === undefined) {
    return {
      words: `Both ends sent a SYN at once, and neither was acknowledged${untilText(flow)}.`,
      next: "A firewall drops what comes from outside, on both sides.",
    };
  }
  const words = `Half-open: the SYN+ACK was sent ${countText(server, synAckAt)} and never ` +
    `acknowledged${untilText(flow)}.`;
  if (client.segments > client.syns) {
    return {
      words,
      next: "The client sends, but no ACK for this SYN+ACK: a firewall changes sequence numbers " +
        "on one way only, or two hosts share an address (inferred).",
    };
  }
  return {
    words,
    next: client.syns > 1
      ? "The client repeats its SYN, so its address is not forged: SYN+ACKs are lost on the way " +
        "back to it (inferred)."
      : "The way back to the client is cut, or the SYN's source address was forged.",
  };
}

/** Segments that answered another SYN: RFC 9293, section 3.5.1 and figure 9; RFC 5961, section 4. */
export function describeMismatch(flow: Flow): DiagnosisText {
  const { client, server } = flow;
  const isReset = (flow.strayFlags & RST) !== 0;
  const certainty = flow.hasPredecessor ? "" : " (inferred)";
  const cause = isReset
    ? `a reset came for another SYN (ack=${flow.strayAck})`
    : `an old connection still holds these ports${certainty}`;
  const words = `Answered, but not this SYN: ${cause}; the SYN was sent ` +
    `${countText(client, flow.startedAt)}, and ${flow.strayAnswers} ` +
    `${flow.strayAnswers === 1 ? "answer was" : "answers were"} for another${untilText(flow)}.`;
  if (isReset) return { words, next: "A reset like this is forged, or older than the SYN." };
  const ends = `sport = :${server.port} and dport = :${client.port}`;
  const hasReset = client.segments > client.syns;
  return {
    words,
    next: `See it on ${addressText(server.address)}: ss -tn '${ends}'. ` +
      (hasReset
        ? "The client resets it (RFC 9293, figure 9), and is not heeded."
        : "The client should reset it (RFC 9293, figure 9); does a firewall drop its reset?"),
  };
}

/** Silence. */
export function describeUnanswered(flow: Flow, view: ListenerState | undefined): DiagnosisText {
  return {
    words: `No answer: the SYN was sent ${countText(flow.client, flow.startedAt)}${
      untilText(flow)
    }.`,
    next: view === undefined
      ? "Dropped by a firewall, the host is gone, or its accept queue is full; " +
        "see there: ss -ltn and nstat -az TcpExtListenOverflows"
      : describeListener(flow.server.port, view),
  };
}

/** An ICMP error. */
export function describeUnreachable(flow: Flow): DiagnosisText {
  const { unreachable, server } = flow;
  if (unreachable === undefined) return { words: "Unreachable." };
  const { type, code } = unreachable;
  const isVersion6 = !isIpv4Mapped(flow.client.address);
  const reporter = addressText(unreachable.source);
  const said = `${reporter} says ${describeIcmpError({ type, code, isVersion6 })}`;
  if (isProhibited({ type, code, isVersion6 })) {
    return {
      words: `Forbidden: ${said}.`,
      next: `There is a route; a firewall on ${reporter} does not let it pass to ` +
        `${endpointText(server.address, server.port)}.`,
    };
  }
  const isPort = code === (isVersion6 ? 4 : 3) && type === (isVersion6 ? 1 : 3);
  return {
    words: `Unreachable: ${said}.`,
    next: isPort
      ? "There is a route; TCP itself answers with a reset, so a firewall rejects (inferred)."
      : `See the way there: ip route get ${addressText(server.address)}`,
  };
}

/** RFC 1812, section 5.2.7.1, and RFC 4443, section 3.1: forbidden, which does not mean that there is no way. */
function isProhibited(
  { type, code, isVersion6 }: { type: number; code: number; isVersion6: boolean },
): boolean {
  return isVersion6
    ? type === 1 && [1, 5, 6].includes(code)
    : type === 3 && [9, 10, 13].includes(code);
}
