/**
 * Handshakes that the client has completed and the server has not, and why.
 *
 * @module
 */
import type { Flow } from "../track/flow.ts";
import { isSilentServer } from "./outcome.ts";
import { describeListener, type ListenerState } from "./listener_state.ts";
import { countText, type DiagnosisText } from "./diagnosis_text.ts";

/** A handshake that was acknowledged while the server goes on as if it was not. */
export function describeStalled(flow: Flow, view: ListenerState | undefined): DiagnosisText {
  const { client, server } = flow;
  const isSilent = server.state !== "SYN_RECV" && isSilentServer(flow);
  const words = isSilent
    ? "Stalled: acknowledged, yet the server has sent nothing since its SYN+ACK, and the client " +
      `sent ${client.retransmissions - Math.max(0, client.syns - 1)} segments again.`
    : `Stalled: acknowledged, yet the server sent its SYN+ACK ${countText(server, flow.synAckAt)}.`;
  if (view !== undefined) return { words, next: describeListener(server.port, view) };
  return { words, next: isSilent ? causesOfSilence(flow) : causesOfRepetition(flow) };
}

const SEE_THERE = "see there: ss -ltn and nstat -az TcpExtListenOverflows";

/** A server that keeps no state repeats nothing: RFC 4987, section 3.6. */
function causesOfSilence({ server }: Flow): string {
  return "The ACK was lost and the server had sent a SYN cookie, which it does not repeat, or " +
    `everything is lost on the way to port ${server.port}; which of them cannot be known from ` +
    `here; ${SEE_THERE}`;
}

function causesOfRepetition({ client }: Flow): string {
  const hasSentPayload = client.bytes > client.synPayload;
  return hasSentPayload
    ? "Not even data completes it: its accept queue is full, or what the client sends is lost on " +
      `the way to it; which of them cannot be known from here; ${SEE_THERE}`
    : "Its accept queue is full, it waits for data (TCP_DEFER_ACCEPT), or the ACKs are lost on " +
      `the way to it; which of them cannot be known from here; ${SEE_THERE}`;
}
