/**
 * The process's own streams, as the modes use them.
 *
 * @module
 */

/** Whoever read our output has seen enough, as in `outlet client … | head -n 1`: no fault, but the end. */
export class ReaderGone extends Error {
  /** Tells it from faults of the network. */
  override readonly name = "ReaderGone";
}

/** All that comes on stdin; each chunk is valid until the next is asked for. */
export async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  for (let length = await Deno.stdin.read(buffer); length !== null;) {
    yield buffer.subarray(0, length);
    length = await Deno.stdin.read(buffer);
  }
}

/**
 * Writes all of the bytes to stdout.
 *
 * @throws {ReaderGone} where nobody reads it any more
 */
export async function writeStdout(bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
  } catch (error) {
    throw error instanceof Deno.errors.BrokenPipe ? new ReaderGone() : error;
  }
}

/** Whether a person sits at both ends: stdin is a terminal, and so is stdout. */
export function isAtTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}
