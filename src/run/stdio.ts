/**
 * The process's own streams, as the modes use them.
 *
 * @module
 */

/** A place that takes bytes, perhaps only some of them at a time. */
export type Sink = Pick<typeof Deno.stdout, "write">;

/** All that comes on stdin; each chunk is valid until the next is asked for. */
export async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  for (let length = await Deno.stdin.read(buffer); length !== null;) {
    yield buffer.subarray(0, length);
    length = await Deno.stdin.read(buffer);
  }
}

/** Writes all of the bytes. */
export async function writeAll(sink: Sink, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await sink.write(bytes.subarray(sent));
}

/** Whether a person sits at both ends: stdin is a terminal, and so is stdout. */
export function isAtTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}
