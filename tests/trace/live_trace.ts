/**
 * Runs `outlet trace` for a test. After SIGKILL, its tcpdump would wait for a packet, in an own
 * network namespace forever.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { outlet, Program } from "../harness/program.ts";

/** A running trace. Disposing it ends it and its tcpdump. */
export class LiveTrace extends Program {
  #hasEnded = false;

  /** Starts a trace; resolves when it captures. */
  static async start(args: readonly [string, ...string[]]): Promise<LiveTrace> {
    const trace = new LiveTrace(args);
    try {
      await trace.logs(/capturing on/);
      return trace;
    } catch (error) {
      await trace[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends the trace and returns its output. */
  async ended(): Promise<string> {
    this.signal("SIGINT");
    const { code, stdout, stderr } = await this.outcome();
    this.#hasEnded = true;
    assertEquals(code, 0, stderr);
    return stdout;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) {
      try {
        this.signal("SIGINT");
      } catch {
        // It has already ended.
      }
      await this.outcome();
    }
    await super[Symbol.asyncDispose]();
  }
}

/** Arguments of a trace of one port. */
export function traceArgs(port: number): [string, ...string[]] {
  return outlet("trace", "-p", `${port}`);
}
