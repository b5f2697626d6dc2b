/**
 * State of the server's listening socket, if it is on this machine.
 *
 * @module
 */

/** State of the server's listening socket. */
export interface ListenerState {
  /** Whether a socket listens on the port. */
  readonly isListening: boolean;
  /** Length of the accept queue. */
  readonly queue: number;
  /** Limit of the accept queue, if known. */
  readonly backlog?: number;
  /** Increase of ListenOverflows since the capture began. */
  readonly overflows: number;
  /** Increase of SyncookiesSent since the capture began. */
  readonly cookies?: number;
}

/** Explains why a SYN or an ACK to this port had no effect. */
export function describeListener(port: number, listener: ListenerState): string {
  if (!listener.isListening) {
    return `Nothing listens on port ${port} of this machine: a firewall drops the SYN.`;
  }
  const limit = listener.backlog === undefined ? "" : ` of ${listener.backlog}`;
  const cookies = (listener.cookies ?? 0) > 0 ? `, SyncookiesSent +${listener.cookies}` : "";
  const facts =
    `accept queue ${listener.queue}${limit}, ListenOverflows +${listener.overflows}${cookies}`;
  const isFull = listener.overflows > 0 ||
    (listener.backlog !== undefined && listener.queue > listener.backlog);
  if (isFull) {
    return `The accept queue of port ${port} is full (${facts}): its program does not accept.`;
  }
  return cookies === ""
    ? `Port ${port} of this machine has room (${facts}): a firewall drops segments.`
    : `Port ${port} of this machine has sent SYN cookies (${facts}): it keeps no state of the SYN, ` +
      "and the ACK was lost.";
}
