/**
 * The process's own streams, as the modes use them.
 *
 * @module
 */
import { BoundedWriter } from "./bounded_writer.ts";

/** Words on stdout, beside what {@linkcode writeStdout} carries: where the console is, say. */
export const stdout: BoundedWriter = new BoundedWriter(Deno.stdout);

/** Words on stderr: the log, faults, how far things are. */
export const stderr: BoundedWriter = new BoundedWriter(Deno.stderr);

/** Whoever read our output has seen enough, as in `outlet client … | head -n 1`: no fault, but the end. */
export class ReaderGone extends Error {
  /** Tells it from faults of the network. */
  override readonly name = "ReaderGone";

  /** What has happened. */
  constructor() {
    super("whoever read our output has gone");
  }
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
 * Writes all of the bytes to stdout, and waits until they are taken.
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

/** Waits a moment for what is still to be written, as the process ends: not for who does not read. */
export async function flushStdio(): Promise<void> {
  await Promise.all([stdout.flush(), stderr.flush()]);
}

/** Whether the terminal does not take what is written. */
export function isTerminalStuck(): boolean {
  return !stdout.isIdle || (Deno.stderr.isTerminal() && !stderr.isIdle);
}

/** The terminal's output, where a person sits at it and at stdin. */
export function terminalOutput(): BoundedWriter | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  if (Deno.stdout.isTerminal()) return stdout;
  return Deno.stderr.isTerminal() ? stderr : undefined;
}
