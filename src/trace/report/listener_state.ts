/**
 * What the kernel says of a server's socket, where this machine is the server.
 *
 * @module
 */

/** What the kernel says of the server's socket, where this machine is the server. */
export interface ListenerState {
  /** Whether anything listens on the port. */
  readonly isListening: boolean;
  /** How many connections wait to be accepted. */
  readonly queue: number;
  /** How many may wait. */
  readonly backlog?: number;
  /** By how much ListenOverflows has grown since the capture began. */
  readonly overflows: number;
  /** By how much SyncookiesSent has grown since the capture began. */
  readonly cookies?: number;
}

/** Why a SYN, or an ACK, of somebody who connects to this port of this machine is not heeded. */
export function describeListener(port: number, view: ListenerState): string {
  if (!view.isListening) {
    return `Nothing listens on port ${port} of this machine: a firewall drops the SYN.`;
  }
  const limit = view.backlog === undefined ? "" : ` of ${view.backlog}`;
  const cookies = (view.cookies ?? 0) > 0 ? `, SyncookiesSent +${view.cookies}` : "";
  const facts = `accept queue ${view.queue}${limit}, ListenOverflows +${view.overflows}${cookies}`;
  const isFull = view.overflows > 0 || (view.backlog !== undefined && view.queue > view.backlog);
  if (isFull) {
    return `The accept queue of port ${port} is full (${facts}): its program does not accept.`;
  }
  return cookies === ""
    ? `Port ${port} of this machine has room (${facts}): a firewall drops segments.`
    : `Port ${port} of this machine has sent SYN cookies (${facts}): it has forgotten the SYN, ` +
      "and the ACK was lost.";
}
