/**
 * `outlet trace` beside a test. Killed outright, it would leave its tcpdump behind, and in a network
 * namespace of its own that would wait for ever for the packet that ends it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { outlet, Program } from "../harness/program.ts";

/** A live trace. Disposing it asks it to end, and its tcpdump with it. */
export class LiveTrace extends Program {
  #isOver = false;

  /** Starts one by these words; when it resolves, it captures. */
  static async start(words: readonly [string, ...string[]]): Promise<LiveTrace> {
    const trace = new LiveTrace(words);
    try {
      await trace.complains(/capturing on/);
      return trace;
    } catch (error) {
      await trace[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends it, and returns all that it has shown. */
  async ended(): Promise<string> {
    this.signal("SIGINT");
    const { code, stdout, stderr } = await this.outcome();
    this.#isOver = true;
    assertEquals(code, 0, stderr);
    return stdout;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) {
      try {
        this.signal("SIGINT");
      } catch {
        // It has ended by itself.
      }
      await this.outcome();
    }
    await super[Symbol.asyncDispose]();
  }
}

/** The words of a trace of one port. */
export function traceWords(port: number): [string, ...string[]] {
  return outlet("trace", "-p", `${port}`);
}
