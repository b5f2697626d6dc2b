/**
 * The client's input and output.
 *
 * @module
 */
import type { StdioEndpoints } from "../connection/stdio_bridge.ts";
import type { Ladder } from "../trace/report/ladder.ts";

/** The client's input and output. */
export interface ClientIo extends StdioEndpoints {
  /** The input's length in bytes, where known. */
  readonly inputSize?: number | undefined;
  /** Writes a line about progress or a problem. */
  log(line: string): void;
  /** Writes the result of a probe or a load test, or a hex dump. */
  print(text: string): Promise<void>;
  /** Writes the timeline of the connection as a line of JSON, apart from the received bytes. */
  report(line: string): void;
  /** Writes a line over the one before; absent without a terminal. */
  readonly status?: ((line: string) => void) | undefined;
  /** Shows the ladder of a handshake, for `--trace`. */
  draw?(ladder: Ladder): void;
  /** Aborted to end a probe or a load test early, whose results so far are still printed, or a program. */
  readonly signal?: AbortSignal | undefined;
}
