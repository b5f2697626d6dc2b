/**
 * The unacknowledged data of a TCP socket. A pending write says little: the kernel takes more only
 * when a third of its buffer of megabytes is free, which takes a slow reader minutes.
 *
 * @module
 */
import { findSocket, type SocketEnds } from "./descriptor.ts";

/** The `ioctl(2)` request for the number of unacknowledged bytes in the send queue (tcp(7)). */
const SIOCOUTQ = 0x5411n;

/**
 * The number of bytes in the send queue that the peer has not acknowledged; `undefined` if the
 * system does not report it.
 */
export function unacknowledged(ends: SocketEnds): number | undefined {
  const socket = findSocket(ends);
  if (!socket) return undefined;
  const count = new Int32Array(1);
  const isTold = socket.system.ioctl(socket.descriptor, SIOCOUTQ, count) === 0;
  return isTold ? count[0] : undefined;
}
