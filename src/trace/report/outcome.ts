/**
 * What became of an attempt, in one word.
 *
 * @module
 */
import type { Flow } from "../track/flow.ts";

/**
 * What became of an attempt. `half-open`: the SYN+ACK was never acknowledged. `stalled`: it was, and
 * the server goes on as if it was not. `mismatch`: what answered, answered another SYN. `partial`: the
 * flow began before the capture.
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

/** The same, or `unsent`: nothing was on the wire, which only who connects can know. */
export type Outcome = FlowOutcome | "unsent";

/** What became of an attempt, in one word. */
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

/** After so many repetitions of data that nobody acknowledges, nobody is there who knows the connection. */
const MIN_UNANSWERED_RETRANSMISSIONS = 2;

/** Whether the server has sent nothing after its SYN+ACK, while the client repeats its data. */
export function isSilentServer({ client, server, reset, isHandshakeIncomplete }: Flow): boolean {
  const repeated = client.retransmissions - Math.max(0, client.syns - 1);
  return !isHandshakeIncomplete && reset === undefined && !server.hasSentData &&
    repeated >= MIN_UNANSWERED_RETRANSMISSIONS;
}
