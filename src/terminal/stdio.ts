/**
 * The process's standard streams.
 *
 * @module
 */
import { BoundedWriter } from "./bounded_writer.ts";

/** Messages on stdout, such as the console's URL; data goes through {@linkcode writeStdout}. */
export const stdout: BoundedWriter = new BoundedWriter(Deno.stdout, { countedAs: "stdout" });

/** The log, errors and progress on stderr. */
export const stderr: BoundedWriter = new BoundedWriter(Deno.stderr, { countedAs: "stderr" });

/** The reader of stdout closed it, as in `outlet client … | head -n 1`; the program then ends without an error. */
export class ReaderGone extends Error {
  /** Distinguishes it from network errors. */
  override readonly name = "ReaderGone";

  /** Has a fixed message. */
  constructor() {
    super("the reader of stdout has closed it");
  }
}

/** The chunks of stdin; each is valid only until the next is requested. */
export async function* stdinChunks(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  for (let length = await Deno.stdin.read(buffer); length !== null;) {
    yield buffer.subarray(0, length);
    length = await Deno.stdin.read(buffer);
  }
}

/**
 * Writes all bytes to stdout and waits until they are written.
 *
 * @throws {ReaderGone} on EPIPE
 */
export async function writeStdout(bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
  } catch (error) {
    throw error instanceof Deno.errors.BrokenPipe ? new ReaderGone() : error;
  }
}

/** Waits a bounded time for pending messages, before the process exits. */
export async function flushStdio(): Promise<void> {
  await Promise.all([stdout.flush(), stderr.flush()]);
}

/** Whether the terminal does not accept output. */
export function isTerminalStuck(): boolean {
  return !stdout.isIdle || (Deno.stderr.isTerminal() && !stderr.isIdle);
}

/** The terminal's output, if stdin is a terminal and stdout or stderr is one. */
export function terminalOutput(): BoundedWriter | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  if (Deno.stdout.isTerminal()) return stdout;
  return Deno.stderr.isTerminal() ? stderr : undefined;
}
