/**
 * Describes failed connection attempts.
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

/** Describes a RST after the SYN+ACK, or by the client. */
export function describeReset(flow: Flow): DiagnosisText {
  const after = formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt);
  if (flow.synAckAt === undefined) {
    return { text: `Aborted by the client with a reset after ${after}.` };
  }
  if (flow.reset?.by === "client") {
    return {
      text: `Reset by the client after the SYN+ACK, ${after} after its SYN${
        resetSenderText(flow)
      }.`,
      next: "Typical of a port scan, or of a client that stopped waiting.",
    };
  }
  return {
    text: `Reset by the server after its own SYN+ACK, ${after} after the SYN${
      resetSenderText(flow)
    }.`,
    next:
      "Check what answers for the server, such as a load balancer or firewall without a backend.",
  };
}

/** Describes a SYN+ACK that was not acknowledged. */
export function describeHalfOpen(flow: Flow): DiagnosisText {
  const { client, server, synAckAt } = flow;
  if (synAckAt === undefined) {
    return {
      text: `Both ends sent a SYN at once, and neither was acknowledged${untilText(flow)}.`,
      next: "Firewalls on both sides drop incoming segments.",
    };
  }
  const text = `Half-open: the SYN+ACK was sent ${countText(server, synAckAt)} and never ` +
    `acknowledged${untilText(flow)}.`;
  if (client.segments > client.syns) {
    return {
      text,
      next:
        "The client sends segments, but no ACK for this SYN+ACK: a firewall rewrites sequence " +
        "numbers in one direction only, or two hosts share an address (inferred).",
    };
  }
  return {
    text,
    next: client.syns > 1
      ? "The client retransmits its SYN, so its address is not forged: SYN+ACKs to it are lost " +
        "(inferred)."
      : "SYN+ACKs to the client are lost, or the SYN's source address was forged.",
  };
}

/** Describes answers to another SYN (RFC 9293, 3.5.1 and figure 9; RFC 5961, 4). */
export function describeMismatch(flow: Flow): DiagnosisText {
  const { client, server } = flow;
  const isReset = (flow.strayFlags & RST) !== 0;
  const certainty = flow.hasPredecessor ? "" : " (inferred)";
  const cause = isReset
    ? `a reset came for another SYN (ack=${flow.strayAck})`
    : `an old connection still holds these ports${certainty}`;
  const text = `Answered, but not this SYN: ${cause}; the SYN was sent ` +
    `${countText(client, flow.startedAt)}, and ${flow.strayAnswers} ` +
    `${flow.strayAnswers === 1 ? "answer was" : "answers were"} for another${untilText(flow)}.`;
  if (isReset) return { text, next: "Such a reset is forged, or older than the SYN." };
  const ends = `sport = :${server.port} and dport = :${client.port}`;
  const hasReset = client.segments > client.syns;
  return {
    text,
    next: `Check on ${addressText(server.address)}: ss -tn '${ends}'. ` +
      (hasReset
        ? "The client resets it (RFC 9293, figure 9), without effect."
        : "The client should reset it (RFC 9293, figure 9); does a firewall drop its reset?"),
  };
}

/** Describes a SYN without an answer. */
export function describeUnanswered(flow: Flow, listener: ListenerState | undefined): DiagnosisText {
  return {
    text: `No answer: the SYN was sent ${countText(flow.client, flow.startedAt)}${
      untilText(flow)
    }.`,
    next: listener === undefined
      ? "Dropped by a firewall, the host is gone, or its accept queue is full; " +
        "see there: ss -ltn and nstat -az TcpExtListenOverflows"
      : describeListener(flow.server.port, listener),
  };
}

/** Describes an ICMP error. */
export function describeUnreachable(flow: Flow): DiagnosisText {
  const { unreachable, server } = flow;
  if (unreachable === undefined) return { text: "Unreachable." };
  const { type, code } = unreachable;
  const isVersion6 = !isIpv4Mapped(flow.client.address);
  const source = addressText(unreachable.source);
  const report = `${source} reports ${describeIcmpError({ type, code, isVersion6 })}`;
  if (isProhibited({ type, code, isVersion6 })) {
    return {
      text: `Forbidden: ${report}.`,
      next: `There is a route, but a firewall on ${source} rejects connections to ` +
        `${endpointText(server.address, server.port)}.`,
    };
  }
  const isPort = code === (isVersion6 ? 4 : 3) && type === (isVersion6 ? 1 : 3);
  return {
    text: `Unreachable: ${report}.`,
    next: isPort
      ? "There is a route. A closed TCP port answers with a reset, so a firewall rejects (inferred)."
      : `Check the route: ip route get ${addressText(server.address)}`,
  };
}

/**
 * Whether the code is one of the "administratively prohibited" codes (RFC 1812, 5.2.7.1; RFC 4443,
 * 3.1).
 */
function isProhibited(
  { type, code, isVersion6 }: { type: number; code: number; isVersion6: boolean },
): boolean {
  return isVersion6
    ? type === 1 && [1, 5, 6].includes(code)
    : type === 3 && [9, 10, 13].includes(code);
}
