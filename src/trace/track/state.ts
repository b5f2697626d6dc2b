/**
 * TCP states and roles.
 *
 * @module
 */
/** TCP states (RFC 9293, 3.3.2) under Linux's names, and `UNKNOWN`. */
export type State =
  | "UNKNOWN"
  | "SYN_SENT"
  | "SYN_RECV"
  | "ESTABLISHED"
  | "FIN_WAIT1"
  | "FIN_WAIT2"
  | "CLOSE_WAIT"
  | "CLOSING"
  | "LAST_ACK"
  | "TIME_WAIT"
  | "CLOSED";

/** Role of an end: sender of the first SYN, or the other. */
export type Role = "client" | "server";
