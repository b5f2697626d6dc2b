/**
 * Why a connection ended, in one of these words: they are what its `closed` event tells, and what metrics count by.
 *
 * @module
 */

import type { ConnectionFault } from "../transport/errors.ts";

/**
 * Who or what ended a connection. Whoever did it first is told; what followed from that is not. Of the
 * faults, `peer reset` is a RST that came, `cut off: …` an end in the middle of TLS, and `error: …` anything else
 * that made it impossible to go on.
 */
export type EndReason =
  | OrderlyEnd
  | DeadlineReason
  | ConnectionFault
  /** The upstream that it was forwarded to cut it off, and the peer was reset in turn. */
  | "upstream reset"
  /** Somebody at the console or the terminal closed it. */
  | "closed by the operator"
  /** The server stopped, and the connection had not ended when the time for that was over. */
  | "cut by the drain"
  /** Nobody serves it, for this reason; the peer was reset. */
  | `refused: ${string}`;

/** The conversation was over. */
export type OrderlyEnd =
  /** The peer ended its half, and so did we. */
  | "peer closed"
  /** The peer asked to be let go, as with a chat's `/quit`. */
  | "peer quit"
  /** We ended it, as there was nothing more to say. */
  | "server closed"
  /** We ended it, as a client's input had ended. */
  | "closed by us";

/** A deadline was over. */
export type DeadlineReason =
  /** Nothing came or went. */
  | "idle"
  /** It had lived for so long. */
  | "lifetime"
  /** The peer took nothing of what was written to it. */
  | "write timeout"
  /** One side had ended, and nothing came or went. */
  | "fin timeout"
  /** A line that the peer had begun did not come to its end. */
  | "line timeout"
  /** The upstream took nothing of what the peer had sent; the peer was reset. */
  | "upstream write timeout"
  /** The program took nothing of what the peer had sent; the peer was reset. */
  | "program write timeout";
