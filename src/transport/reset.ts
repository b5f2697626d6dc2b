/**
 * Resets a TCP connection (ABORT, RFC 9293 section 3.10.7), which Deno cannot do: closing sends a
 * FIN, even with unread data, and the peer takes the data for complete. On Linux, `connect(2)` to
 * an address of the family AF_UNSPEC aborts a TCP connection.
 *
 * @module
 */
import { findSocket, type SocketEnds } from "./descriptor.ts";

/**
 * Sends a RST. The socket must still be closed.
 * @returns whether it was sent: `false` if {@linkcode findSocket} finds no socket
 */
export function sendReset(ends: SocketEnds): boolean {
  const socket = findSocket(ends);
  return socket !== undefined &&
    socket.system.connect(socket.descriptor, UNSPECIFIED, UNSPECIFIED.length) === 0;
}

/** A `struct sockaddr` of the family AF_UNSPEC. */
const UNSPECIFIED = new Uint8Array(16);
