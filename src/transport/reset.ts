/**
 * Cutting a TCP connection off with a RST (RFC 9293 3.10.7, ABORT), which Deno cannot do by itself: closing sends a FIN,
 * also where bytes are unread, and whoever reads takes what came before for all there is.
 *
 * On Linux, `connect(2)` to an address of the family AF_UNSPEC aborts a TCP connection.
 *
 * @module
 */
import { findSocket, type SocketEnds } from "./descriptor.ts";

/**
 * Sends a RST and leaves the socket to be closed.
 *
 * @returns whether it was sent: `false` where {@linkcode findSocket} finds none
 */
export function sendReset(ends: SocketEnds): boolean {
  const socket = findSocket(ends);
  return socket !== undefined &&
    socket.system.connect(socket.descriptor, UNSPECIFIED, UNSPECIFIED.length) === 0;
}

/** A `struct sockaddr` of the family AF_UNSPEC: no address at all. */
const UNSPECIFIED = new Uint8Array(16);
