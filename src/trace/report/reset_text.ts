/**
 * Infers who sent a RST: a host without a listener, or a firewall.
 *
 * @module
 */
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import type { Fingerprint } from "../track/host_fingerprints.ts";
import type { ListenerState } from "./listener_state.ts";
import type { DiagnosisText } from "./diagnosis_text.ts";

/** Describes a RST that answered the SYN. */
export function describeRefused(flow: Flow, listener: ListenerState | undefined): DiagnosisText {
  const after = formatDuration((flow.finishedAt ?? flow.lastAt) - flow.startedAt);
  const text = `Refused after ${after}: a reset answered the SYN.`;
  return { text, next: listener === undefined ? inferredCause(flow) : knownCause(flow, listener) };
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

/** Compares the IP header of a RST with those of the host's SYN+ACKs. */
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

/** Says if the TTL shows that another machine sent the RST. */
export function resetSenderText({ reset, client, server }: Flow): string {
  if (reset === undefined) return "";
  const { hopLimit } = reset.by === "client" ? client : server;
  const seen = reset.fingerprint.hopLimit;
  if (hopLimit === 0 || seen === 0 || hopLimit === seen) return "";
  return `, in a segment with a TTL of ${seen} and not ${hopLimit} as its others: ` +
    "a machine in between has sent it (inferred)";
}
