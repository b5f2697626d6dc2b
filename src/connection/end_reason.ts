/**
 * The reasons for the end of a connection, as in `closed` events and metrics.
 *
 * @module
 */

import type { ConnectionFault } from "../transport/errors.ts";

/**
 * Why a connection ended; the first cause counts. `peer reset` is a received RST, `cut off: …`
 * the end of TCP inside TLS, `error: …` any other error.
 */
export type EndReason =
  | OrderlyEnd
  | DeadlineReason
  | ConnectionFault
  /** The upstream reset its connection, so the peer was reset too. */
  | "upstream reset"
  /** Closed at the console or the terminal. */
  | "closed by the operator"
  /** It was still open when `--drain-timeout` ended. */
  | "drain timeout"
  /** The service could not serve it, for this reason; the peer was reset. */
  | `refused: ${string}`;

/** An orderly end. */
export type OrderlyEnd =
  /** The peer sent its FIN first. */
  | "peer closed"
  /** The peer asked to end, such as with `/quit` in a chat room. */
  | "peer quit"
  /** The service was done. */
  | "server closed"
  /** The client's input ended. */
  | "closed by us";

/** Whether both sides ended in order. */
export function isOrderly(reason: EndReason): reason is OrderlyEnd {
  return ORDERLY.has(reason);
}

const ORDERLY: ReadonlySet<string> = new Set<OrderlyEnd>(
  ["peer closed", "peer quit", "server closed", "closed by us"],
);

/** A deadline expired. */
export type DeadlineReason =
  /** No byte in either direction. */
  | "idle"
  /** The maximum age. */
  | "lifetime"
  /** The peer did not take what was written. */
  | "write timeout"
  /** Half-closed, and no byte in either direction. */
  | "fin timeout"
  /** A line was not completed in time. */
  | "line timeout"
  /** The upstream did not take what the peer sent; the peer was reset. */
  | "upstream write timeout"
  /** The program did not take what the peer sent; the peer was reset. */
  | "program write timeout";
