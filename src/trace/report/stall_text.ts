/**
 * Describes handshakes that completed for the client but not for the server.
 *
 * @module
 */
import type { Flow } from "../track/flow.ts";
import { dataRetransmissions, isSilentServer } from "./outcome.ts";
import { describeListener, type ListenerState } from "./listener_state.ts";
import { countText, type DiagnosisText } from "./diagnosis_text.ts";

/** Describes a stalled connection. */
export function describeStalled(flow: Flow, listener: ListenerState | undefined): DiagnosisText {
  const { client, server } = flow;
  const isSilent = server.state !== "SYN_RECV" && isSilentServer(flow);
  const text = isSilent
    ? "Stalled: acknowledged, yet the server has sent nothing since its SYN+ACK, and the client " +
      `retransmitted ${dataRetransmissions(client)} segments.`
    : `Stalled: acknowledged, yet the server sent its SYN+ACK ${countText(server, flow.synAckAt)}.`;
  if (listener !== undefined) return { text, next: describeListener(server.port, listener) };
  return { text, next: isSilent ? causesOfSilence(flow) : causesOfSynAckRetransmission(flow) };
}

const SEE_THERE = "see there: ss -ltn and nstat -az TcpExtListenOverflows";

/** A server that sent a SYN cookie does not retransmit (RFC 4987, 3.6). */
function causesOfSilence({ server }: Flow): string {
  return "The ACK was lost and the server had sent a SYN cookie, which it does not retransmit, or " +
    `all segments to port ${server.port} are lost; which of them cannot be known from ` +
    `here; ${SEE_THERE}`;
}

function causesOfSynAckRetransmission({ client }: Flow): string {
  const hasSentPayload = client.bytes > client.synPayload;
  return hasSentPayload
    ? "Its accept queue is full (data does not complete the handshake), or the client's segments " +
      `are lost; which of them cannot be known from here; ${SEE_THERE}`
    : "Its accept queue is full, it waits for data (TCP_DEFER_ACCEPT), or the ACKs are " +
      `lost; which of them cannot be known from here; ${SEE_THERE}`;
}
