/**
 * Who sent a reset: a host where nothing listens and a firewall send the same one.
 *
 * @module
 */
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import type { Fingerprint } from "../track/host_fingerprints.ts";
import type { ListenerState } from "./listener_state.ts";
import type { DiagnosisText } from "./diagnosis_text.ts";

/** A reset that answered the SYN, in words. */
export function describeRefused(flow: Flow, view: ListenerState | undefined): DiagnosisText {
  const after = formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt);
  const words = `Refused after ${after}: a reset answered the SYN.`;
  return { words, next: view === undefined ? inferredCause(flow) : knownCause(flow, view) };
}

function knownCause({ server: { port } }: Flow, { isListening }: ListenerState): string {
  return isListening
    ? `Something listens on port ${port} of this machine: a firewall rejects with a TCP reset, or ` +
      "the socket takes only IPv6 or one interface (ss -ltn shows it), or is newer than the SYN."
    : `Nothing listens on port ${port} of this machine; start the service, or see what ` +
      "listens: ss -ltn";
}

function inferredCause(flow: Flow): string {
  const { server: { port }, reset, hostFingerprint } = flow;
  if (flow.hasSynAckAfterReset) {
    return "A SYN+ACK came after the reset: the host does listen, and a firewall in between " +
      "sent the reset (inferred).";
  }
  if (reset !== undefined && hostFingerprint !== undefined) {
    return comparedCause(port, { seen: reset.fingerprint, usual: hostFingerprint });
  }
  const both = `Nothing listens on port ${port}, or a firewall rejects with a TCP reset; ` +
    "see there: ss -ltn";
  return reset === undefined || reset.window === 0
    ? both
    : `${both}. The reset offers a window: firewalls and small stacks such as lwIP send such a ` +
      "one, the kernels of Linux, BSD and Windows do not (inferred).";
}

/** What a reset's IP header gives away, held against those of the host's SYN+ACKs. */
function comparedCause(
  port: number,
  { seen, usual }: { seen: Fingerprint; usual: Fingerprint },
): string {
  if (seen.hopLimit !== usual.hopLimit) {
    return `The reset has a TTL of ${seen.hopLimit}, the host's other segments have ` +
      `${usual.hopLimit}: a firewall on the way rejects with a TCP reset (inferred).`;
  }
  const same = `The reset has the TTL of the host's other segments, ${usual.hopLimit}`;
  if (!usual.hasFlowLabel) {
    return `${same}: the host itself sent it (inferred), since nothing listens on port ${port} ` +
      "or its own firewall rejects.";
  }
  return seen.hasFlowLabel
    ? `${same}, and a flow label as they have: its kernel sent it, since nothing listens on port ` +
      `${port} (inferred).`
    : `${same}, but no flow label as they have: its own firewall rejects with a TCP reset ` +
      "(inferred).";
}

/** What the time to live of a reset gives away. */
export function resetSenderText({ reset, client, server }: Flow): string {
  if (reset === undefined) return "";
  const { hopLimit } = reset.by === "client" ? client : server;
  const seen = reset.fingerprint.hopLimit;
  if (hopLimit === 0 || seen === 0 || hopLimit === seen) return "";
  return `, in a segment with a TTL of ${seen} and not ${hopLimit} as its others: ` +
    "a machine in between has sent it (inferred)";
}
