/**
 * The states of a connection, and its two ends.
 *
 * @module
 */
/** The states of RFC 9293, section 3.3.2, as Linux prints them, and the one nobody has shown yet. */
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

/** Who asked for the connection, and who was asked. */
export type Role = "client" | "server";
