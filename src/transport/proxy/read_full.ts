/**
 * Whole questions and whole answers, without a byte of what comes behind them.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";

/**
 * Reads exactly so many bytes.
 *
 * @throws {Error} where the peer ends before that
 */
export async function readFull(
  socket: ByteStream,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const more = await socket.read(bytes.subarray(filled));
    if (more === null) throw new Error("it hung up in the middle of its answer");
    filled += more;
  }
  return bytes;
}

/** Sends all of the bytes. */
export async function writeAll(socket: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}
