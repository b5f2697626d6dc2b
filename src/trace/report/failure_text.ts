/**
 * Attempts that came to nothing, in words.
 *
 * @module
 */
import { addressText, endpointText, isVersion4 } from "../decode/ip_address.ts";
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import { icmpWords } from "../decode/icmp.ts";
import { whoReset } from "./reset_text.ts";
import { RST } from "../decode/segment.ts";
import { type ServerView, serverWords } from "./listener_state.ts";
import { times, untilEnd, type Words } from "./diagnosis_text.ts";

/** A reset after the SYN+ACK, or by who had asked. */
export function resetWords(flow: Flow): Words {
  const after = formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt);
  if (flow.answeredAt === undefined) {
    return { words: `Given up with a reset by the client after ${after}.` };
  }
  if (flow.reset?.by === "client") {
    return {
      words: `Reset by the client after the SYN+ACK, ${after} after its SYN${whoReset(flow)}.`,
      next: "A port scan looks like this, and a client that no longer waits.",
    };
  }
  return {
    words: `Reset by the server after its own SYN+ACK, ${after} after the SYN${whoReset(flow)}.`,
    next: "See who answers for the server: a load balancer or firewall without a live target?",
  };
}

/** A SYN+ACK that was not acknowledged. */
export function halfOpenWords(flow: Flow): Words {
  const { client, server, answeredAt } = flow;
  if (answeredAt === undefined) {
    return {
      words: `Both ends sent a SYN at once, and neither was acknowledged${untilEnd(flow)}.`,
      next: "A firewall drops what comes from outside, on both sides.",
    };
  }
  const words = `Half-open: the SYN+ACK was sent ${times(server, answeredAt)} and never ` +
    `acknowledged${untilEnd(flow)}.`;
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
export function mismatchWords(flow: Flow): Words {
  const { client, server } = flow;
  const isReset = (flow.strayFlags & RST) !== 0;
  const certainty = flow.hasPredecessor ? "" : " (inferred)";
  const cause = isReset
    ? `a reset came for another SYN (ack=${flow.strayAck})`
    : `an old connection still holds these ports${certainty}`;
  const words = `Answered, but not this SYN: ${cause}; the SYN was sent ` +
    `${times(client, flow.startedAt)}, and ${flow.strayAnswers} ` +
    `${flow.strayAnswers === 1 ? "answer was" : "answers were"} for another${untilEnd(flow)}.`;
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
export function unansweredWords(flow: Flow, view: ServerView | undefined): Words {
  return {
    words: `No answer: the SYN was sent ${times(flow.client, flow.startedAt)}${untilEnd(flow)}.`,
    next: view === undefined
      ? "Dropped by a firewall, the host is gone, or its accept queue is full; " +
        "see there: ss -ltn and nstat -az TcpExtListenOverflows"
      : serverWords(flow.server.port, view),
  };
}

/** An ICMP error. */
export function unreachableWords(flow: Flow): Words {
  const { unreachable, server } = flow;
  if (unreachable === undefined) return { words: "Unreachable." };
  const { type, code } = unreachable;
  const isVersion6 = !isVersion4(flow.client.address);
  const reporter = addressText(unreachable.reporter);
  const said = `${reporter} says ${icmpWords({ type, code, isVersion6 })}`;
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
