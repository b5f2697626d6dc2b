/**
 * Who sent a reset: a host where nothing listens and a firewall send the same one.
 *
 * @module
 */
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import type { ServerView } from "./server_view.ts";
import type { Words } from "./words.ts";

/** A reset that answered the SYN, in words. */
export function refusedWords(flow: Flow, view: ServerView | undefined): Words {
  const after = formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt);
  const words = `Refused after ${after}: a reset answered the SYN.`;
  return { words, next: view === undefined ? inferredCause(flow) : knownCause(flow, view) };
}

function knownCause({ server: { port } }: Flow, { isListening }: ServerView): string {
  return isListening
    ? `Something listens on port ${port} of this machine: a firewall rejects with a TCP reset, ` +
      "or it has begun to listen since."
    : `Nothing listens on port ${port} of this machine; start the service, or see what ` +
      "listens: ss -ltn";
}

function inferredCause(flow: Flow): string {
  const { server: { port }, reset, usualHopLimit } = flow;
  if (flow.isAnsweredLate) {
    return "A SYN+ACK came after the reset: the host does listen, and a firewall in between " +
      "sent the reset (inferred).";
  }
  if (reset !== undefined && usualHopLimit !== undefined) {
    return reset.hopLimit === usualHopLimit
      ? `The reset has the TTL of the host's other segments, ${usualHopLimit}: the host itself ` +
        `sent it (inferred), since nothing listens on port ${port} or its own firewall rejects.`
      : `The reset has a TTL of ${reset.hopLimit}, the host's other segments have ` +
        `${usualHopLimit}: a firewall on the way rejects with a TCP reset (inferred).`;
  }
  const both = `Nothing listens on port ${port}, or a firewall rejects with a TCP reset; ` +
    "see there: ss -ltn";
  return reset === undefined || reset.window === 0
    ? both
    : `${both}. A firewall is likelier: the reset offers a window, as no kernel does (inferred).`;
}

/** What the time to live of a reset gives away. */
export function whoReset({ reset, client, server }: Flow): string {
  if (reset === undefined) return "";
  const { hopLimit } = reset.by === "client" ? client : server;
  if (hopLimit === 0 || reset.hopLimit === 0 || hopLimit === reset.hopLimit) return "";
  return `, in a segment with a TTL of ${reset.hopLimit} and not ${hopLimit} as its others: ` +
    "a machine in between has sent it (inferred)";
}
