/**
 * Runs a script on a connection.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatDuration } from "../options/quantity.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import type { Connection } from "../connection/connection.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { type Pattern, resolveEscapes, type Step } from "./script.ts";

/** How long `expect` waits by default, in milliseconds; 0: forever. */
const DEFAULT_TIMEOUT = 10_000;

/** The most unmatched bytes that are kept. */
const LIMIT = 1024 * 1024;

/** The most characters of received text in an error. */
const MAX_SHOWN = 500;

const tasks = new TaskScope("timing out what a script expects", {
  consequence: "it keeps waiting",
});

/**
 * Runs the steps of a script in order.
 *
 * @throws {Error} which names the line that failed, why, and what was received instead
 */
export async function runScript(
  connection: Connection,
  { steps, name, log }: { steps: readonly Step[]; name: string; log(line: string): void },
): Promise<void> {
  const runner = new ScriptRunner(connection);
  for (const step of steps) {
    log(`${name}:${step.line}: ${step.source}`);
    try {
      await runner.run(step);
    } catch (error) {
      throw new Error(`${name}:${step.line}: ${step.source}: ${explain(error)}`, { cause: error });
    }
  }
}

/** The state of a running script. */
class ScriptRunner {
  readonly #connection: Connection;
  readonly #saved = new Map<string, string>();
  readonly #decoder = new TextDecoder();
  /** Received text, from the start of the line that was matched last, so that `^` matches. */
  #received = "";
  /** The offset up to which it was matched. */
  #at = 0;
  #timeout = DEFAULT_TIMEOUT;
  /** A pending read that a timeout left behind; reads must not overlap. */
  #reading: Promise<Uint8Array | null> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async run(step: Step): Promise<void> {
    switch (step.does) {
      case "send":
        return await this.#connection.write(
          resolveEscapes(this.#expand(step.text, (value) => value.replaceAll("\\", "\\\\"))),
        );
      case "send-hex":
        return await this.#connection.write(step.bytes);
      case "expect":
        await this.#expect(step.pattern);
        return;
      case "save": {
        const match = await this.#expect(step.pattern);
        this.#saved.set(step.name, match[1] ?? match[0]);
        return;
      }
      case "expect-end":
        return await this.#expectEnd();
      case "close-write":
        return await this.#connection.closeWrite();
      case "sleep":
        return await delay(step.time);
      case "timeout":
        this.#timeout = step.time;
    }
  }

  async #expect(pattern: Pattern): Promise<RegExpExecArray> {
    const expression = this.#expression(pattern);
    const deadline = performance.now() + (this.#timeout || Infinity);
    for (;;) {
      expression.lastIndex = this.#at;
      const match = expression.exec(this.#received);
      if (match) {
        this.#discard(expression.lastIndex);
        return match;
      }
      if (this.#received.length - this.#at > LIMIT) {
        throw new Error(`no match in ${LIMIT >> 20} MiB of received text`);
      }
      await this.#receive(deadline);
    }
  }

  async #expectEnd(): Promise<void> {
    const deadline = performance.now() + (this.#timeout || Infinity);
    while (await this.#read(deadline) !== null);
  }

  async #receive(deadline: number): Promise<void> {
    const chunk = await this.#read(deadline);
    if (chunk === null) {
      throw new Error(`the peer closed the connection; ${this.#describeReceived()}`);
    }
    this.#received += this.#decoder.decode(chunk, { stream: true });
  }

  async #read(deadline: number): Promise<Uint8Array | null> {
    this.#reading ??= this.#connection.read();
    const late = Promise.withResolvers<never>();
    const giveUp = tasks.guard(() =>
      late.reject(
        new Error(`timed out after ${formatDuration(this.#timeout)}; ${this.#describeReceived()}`),
      )
    );
    const left = Math.max(0, deadline - performance.now());
    const timer = left < Infinity ? setTimeout(giveUp, left) : undefined;
    try {
      const chunk = await Promise.race([this.#reading, late.promise]);
      this.#reading = undefined;
      return chunk;
    } catch (error) {
      if (this.#reading) handledElsewhere(this.#reading);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Discards matched text, except for the line in which the match ended. */
  #discard(end: number): void {
    const lineStart = this.#received.lastIndexOf("\n", end - 1) + 1;
    this.#received = this.#received.slice(lineStart);
    this.#at = end - lineStart;
  }

  #describeReceived(): string {
    const rest = this.#received.slice(this.#at);
    if (rest === "") return "nothing was received";
    const omitted = rest.length > MAX_SHOWN ? `… ${rest.length - MAX_SHOWN} more` : "";
    return `received instead: ${JSON.stringify(rest.slice(0, MAX_SHOWN))}${omitted}`;
  }

  #expression(pattern: Pattern): RegExp {
    if ("text" in pattern) {
      const text = new TextDecoder().decode(
        resolveEscapes(this.#expand(pattern.text, (value) => value)),
      );
      return new RegExp(literal(text), "g");
    }
    return new RegExp(this.#expand(pattern.source, literal), `gm${pattern.flags}`);
  }

  /** Replaces `${name}` by the saved value, escaped by `escape`. */
  #expand(text: string, escape: (value: string) => string): string {
    return text.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => {
      const value = this.#saved.get(name);
      if (value === undefined) throw new UsageError(`nothing was saved as ${quote(name)}`);
      return escape(value);
    });
  }
}

/** Escapes a text for a regular expression. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
