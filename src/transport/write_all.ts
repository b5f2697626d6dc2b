/**
 * Writes all bytes to a stream or a file.
 *
 * @module
 */

/** A stream or a file: `write` may write only some of the bytes, and returns how many. */
export interface Writable {
  /** Writes at least one byte. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all bytes, in as many writes as it takes. */
export async function writeAll(target: Writable, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await target.write(bytes.subarray(sent));
}
