/**
 * Puts bytes back in front of a stream's unread data.
 *
 * @module
 */
import { type ByteStream, wrap } from "./stream.ts";

/** The same stream, with these bytes before its unread data. */
export function withPrefix(stream: ByteStream, bytes: Uint8Array): ByteStream {
  let front = bytes;
  return wrap(stream, {
    read(buffer) {
      if (front.length === 0) return stream.read(buffer);
      const part = front.subarray(0, buffer.length);
      front = front.subarray(part.length);
      buffer.set(part);
      return Promise.resolve(part.length);
    },
  });
}
