/**
 * What became of an attempt, in words, and where to look next.
 *
 * @module
 */
import { addressText, endpointText, isVersion4 } from "../decode/ip_words.ts";
import { formatElapsed } from "./elapsed.ts";
import type { End, Flow } from "../track/flow.ts";
import { icmpWords } from "../decode/icmp.ts";
import type { Role } from "../track/state.ts";

/**
 * What became of an attempt. `half-open`: the SYN+ACK was never acknowledged. `stalled`: it was, and
 * the server repeats it all the same. `partial`: the flow began before the capture.
 */
export type Outcome =
  | "established"
  | "refused"
  | "reset"
  | "half-open"
  | "stalled"
  | "unanswered"
  | "unreachable"
  | "partial";

/** An outcome in words, and where to look next if it is not what was hoped for. */
export interface Diagnosis {
  /** One word for programs. */
  readonly outcome: Outcome;
  /** What happened. */
  readonly words: string;
  /** What to look at. */
  readonly next?: string;
}

/** What the kernel says of the server's socket, where this machine is the server. */
export interface ServerView {
  /** Whether anything listens on the port. */
  readonly isListening: boolean;
  /** How many connections wait to be accepted. */
  readonly queue: number;
  /** How many may wait. */
  readonly backlog?: number;
  /** By how much ListenOverflows has grown since the capture began. */
  readonly overflows: number;
}

/** What became of an attempt, in one word. */
export function outcomeOf(flow: Flow): Outcome {
  if (flow.establishedAt !== undefined) {
    return flow.server.state === "SYN_RECV" ? "stalled" : "established";
  }
  if (flow.isPartial) return "partial";
  if (flow.resetBy !== undefined) {
    return flow.answeredAt === undefined && flow.resetBy === "server" ? "refused" : "reset";
  }
  if (flow.unreachable !== undefined) return "unreachable";
  return flow.answeredAt === undefined ? "unanswered" : "half-open";
}

/** What became of an attempt, in words; with the kernel's view where this machine is the server. */
export function diagnose(flow: Flow, view?: ServerView): Diagnosis {
  const outcome = outcomeOf(flow);
  switch (outcome) {
    case "established":
      return { outcome, words: `${establishedWords(flow)}; ${closingWords(flow)}.` };
    case "refused":
      return { outcome, ...refusedWords(flow) };
    case "reset":
      return { outcome, ...resetWords(flow) };
    case "half-open":
      return { outcome, ...halfOpenWords(flow) };
    case "stalled":
      return { outcome, ...stalledWords(flow, view) };
    case "unanswered":
      return { outcome, ...unansweredWords(flow, view) };
    case "unreachable":
      return { outcome, ...unreachableWords(flow) };
    case "partial":
      return { outcome, words: `Began before the capture; ${closingWords(flow)}.` };
  }
}

type Words = Pick<Diagnosis, "words" | "next">;

function establishedWords(flow: Flow): string {
  const took = formatElapsed((flow.establishedAt ?? 0) - flow.startedAt);
  const { client, server } = flow;
  const repeats: string[] = [];
  if (client.syns > 1) repeats.push(`SYN sent ${client.syns} times`);
  if (server.syns > 1) repeats.push(`SYN+ACK sent ${server.syns} times`);
  if (flow.isSimultaneous) repeats.push("both opened at once");
  if (flow.isHandshakeIncomplete) repeats.push("a part of the handshake was not captured");
  return `Established in ${took}${repeats.length > 0 ? ` (${repeats.join(", ")})` : ""}`;
}

function closingWords(flow: Flow): string {
  const after = `after ${formatElapsed(flow.lastAt - flow.startedAt)}`;
  if (flow.resetBy !== undefined) {
    const hadFin = flow.client.hasFin || flow.server.hasFin;
    return `reset by ${nameOf(flow, flow.resetBy)} ${hadFin ? "while closing " : ""}${after}`;
  }
  if (flow.closedBy === undefined) {
    if (flow.evicted === "reused") return "its ports were used again before it was closed";
    return flow.evicted === "full" ? "no longer followed, to make room" : `open ${after}`;
  }
  if (flow.finishedAt === undefined) {
    return `half-closed: ${nameOf(flow, flow.closedBy)} has finished sending`;
  }
  const who = flow.isSimultaneousClose ? "both ends at once" : nameOf(flow, flow.closedBy);
  return `closed by ${who} ${after}`;
}

function refusedWords(flow: Flow): Words {
  return {
    words: `Refused after ${formatElapsed(flow.lastAt - flow.startedAt)}: ` +
      `the host is up, nothing listens on port ${flow.server.port}.`,
    next: "Start the service, or see there what listens: ss -ltn",
  };
}

function resetWords(flow: Flow): Words {
  const after = formatElapsed(flow.lastAt - flow.startedAt);
  if (flow.answeredAt === undefined) {
    return { words: `Given up with a reset by the client after ${after}.` };
  }
  if (flow.resetBy === "client") {
    return {
      words: `Reset by the client after the SYN+ACK, ${after} after its SYN.`,
      next: "A port scan looks like this, and a client that no longer waits.",
    };
  }
  return {
    words: `Reset by the server after its own SYN+ACK, ${after} after the SYN.`,
    next: "See who answers for the server: a load balancer or firewall without a live target?",
  };
}

function halfOpenWords(flow: Flow): Words {
  const { server, answeredAt } = flow;
  return {
    words: `Half-open: the SYN+ACK was sent ${times(server, answeredAt)} and never acknowledged${
      untilEnd(flow)
    }.`,
    next: "The way back to the client is cut, or the SYN's source address was forged.",
  };
}

function stalledWords(flow: Flow, view: ServerView | undefined): Words {
  return {
    words: `Stalled: acknowledged, yet the server sent its SYN+ACK ${
      times(flow.server, flow.answeredAt)
    }.`,
    next: view === undefined
      ? "Its accept queue is full, or it waits for data (TCP_DEFER_ACCEPT); see there: ss -ltn"
      : serverWords(flow, view),
  };
}

function unansweredWords(flow: Flow, view: ServerView | undefined): Words {
  return {
    words: `No answer: the SYN was sent ${times(flow.client, flow.startedAt)}${untilEnd(flow)}.`,
    next: view === undefined
      ? "Dropped by a firewall, the host is gone, or its accept queue is full; " +
        "see there: ss -ltn and nstat -az TcpExtListenOverflows"
      : serverWords(flow, view),
  };
}

function serverWords({ server }: Flow, view: ServerView): string {
  if (!view.isListening) {
    return `Nothing listens on port ${server.port} of this machine: a firewall drops the SYN.`;
  }
  const limit = view.backlog === undefined ? "" : ` of ${view.backlog}`;
  const facts = `accept queue ${view.queue}${limit}, ListenOverflows +${view.overflows}`;
  const isFull = view.overflows > 0 || (view.backlog !== undefined && view.queue > view.backlog);
  return isFull
    ? `The accept queue of port ${server.port} is full (${facts}): its program does not accept.`
    : `Port ${server.port} of this machine has room (${facts}): a firewall drops segments.`;
}

function unreachableWords(flow: Flow): Words {
  const { unreachable } = flow;
  if (unreachable === undefined) return { words: "Unreachable." };
  const isVersion6 = !isVersion4(flow.client.address);
  const reporter = addressText(unreachable.reporter);
  return {
    words: `Unreachable: ${reporter} says ${icmpWords({ ...unreachable, isVersion6 })}.`,
    next: `See the way there: ip route get ${addressText(flow.server.address)}`,
  };
}

function times(end: End, firstAt = 0): string {
  if (end.syns <= 1) return "once";
  return `${end.syns} times over ${formatElapsed(end.lastSynAt - firstAt)}`;
}

/** What was not seen may have come after the last segment that was. */
function untilEnd({ finishedAt, evicted: leftEarly }: Flow): string {
  return finishedAt === undefined && leftEarly === undefined ? " before the capture ended" : "";
}

/** How an end is called: by its part in the handshake, or by its address if that was not seen. */
function nameOf(flow: Flow, role: Role): string {
  if (!flow.isPartial || flow.answeredAt !== undefined) return `the ${role}`;
  return endpointText(flow[role].address, flow[role].port);
}
