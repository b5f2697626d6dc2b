/**
 * Reads an exact number of bytes, as Go's `io.ReadFull` does.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";

/**
 * Reads exactly `length` bytes.
 * @throws {Error} if the peer closes before that
 */
export async function readFull(
  socket: ByteStream,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const more = await socket.read(bytes.subarray(filled));
    if (more === null) throw new Error("it closed the connection within its response");
    filled += more;
  }
  return bytes;
}
