/**
 * Outcome of a connection attempt.
 *
 * @module
 */
import type { End } from "../track/end.ts";
import type { Flow } from "../track/flow.ts";

/**
 * Outcome of a flow. `half-open`: the SYN+ACK was not acknowledged. `stalled`: it was, but the
 * server retransmits it or sends nothing. `mismatch`: the answers were for another SYN. `partial`:
 * the flow began before the capture.
 */
export type FlowOutcome =
  | "established"
  | "refused"
  | "reset"
  | "half-open"
  | "stalled"
  | "mismatch"
  | "unanswered"
  | "unreachable"
  | "partial";

/** Outcome of a connection attempt; `unsent` if no SYN was sent, which only the client can know. */
export type Outcome = FlowOutcome | "unsent";

/** Determines the outcome of a flow. */
export function outcomeOf(flow: Flow): FlowOutcome {
  if (flow.isPartial) return "partial";
  if (flow.establishedAt !== undefined) {
    const isStalled = flow.server.state === "SYN_RECV" || isSilentServer(flow);
    return isStalled ? "stalled" : "established";
  }
  if (flow.reset !== undefined) {
    return flow.synAckAt === undefined && flow.reset.by === "server" ? "refused" : "reset";
  }
  if (flow.unreachable !== undefined) return "unreachable";
  if (flow.synAckAt !== undefined || flow.isSimultaneous) return "half-open";
  return flow.strayAnswers > 0 ? "mismatch" : "unanswered";
}

/** Number of unanswered data retransmissions that prove the server does not have the connection. */
const MIN_UNANSWERED_RETRANSMISSIONS = 2;

/** Whether the server sent nothing after its SYN+ACK while the client retransmitted data. */
export function isSilentServer({ client, server, reset, isHandshakeIncomplete }: Flow): boolean {
  return !isHandshakeIncomplete && reset === undefined && !server.hasSentData &&
    dataRetransmissions(client) >= MIN_UNANSWERED_RETRANSMISSIONS;
}

/** Retransmissions of an end, not counting those of its SYN. */
export function dataRetransmissions({ retransmissions, syns }: End): number {
  return retransmissions - Math.max(0, syns - 1);
}
