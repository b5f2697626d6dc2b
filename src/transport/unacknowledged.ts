/**
 * What a peer has still to take of what was written.
 *
 * A write that is not done says little: the kernel takes the next bytes only when a third of a buffer of megabytes is
 * free, which a slow reader needs minutes for.
 *
 * @module
 */
import { findSocket, type SocketEnds } from "./descriptor.ts";

/** `ioctl(2)`'s name for the bytes in a socket's send queue, sent or not, that are not acknowledged (tcp(7)). */
const SIOCOUTQ = 0x5411n;

/** Bytes that the kernel has taken and the peer has not acknowledged; `undefined` where the system does not tell. */
export function unacknowledged(ends: SocketEnds): number | undefined {
  const socket = findSocket(ends);
  if (!socket) return undefined;
  const count = new Int32Array(1);
  const isTold = socket.system.ioctl(socket.descriptor, SIOCOUTQ, count) === 0;
  return isTold ? count[0] : undefined;
}
