/**
 * Having the conversation that a script writes down.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatDuration } from "../options/quantity.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import type { Connection } from "../connection/connection.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { type Pattern, type Step, unescaped } from "./script.ts";

/** How long an expectation waits unless `timeout` says otherwise, in milliseconds; for ever, where it is 0. */
const PATIENCE = 10_000;

/** The most bytes that are kept while something is waited for. */
const LIMIT = 1024 * 1024;

/** How much of what came instead an error shows, in characters. */
const SHOWN = 500;

const tasks = new TaskScope("waiting for what a script expects", {
  without: "it goes on waiting",
});

/**
 * Goes through the script line by line.
 *
 * @throws {Error} which names the line that failed, why, and what was received instead
 */
export async function runScript(
  connection: Connection,
  { steps, name, tell }: { steps: readonly Step[]; name: string; tell(line: string): void },
): Promise<void> {
  const talk = new ScriptRunner(connection);
  for (const step of steps) {
    tell(`${name}:${step.line}: ${step.source}`);
    try {
      await talk.take(step);
    } catch (error) {
      throw new Error(`${name}:${step.line}: ${step.source}: ${explain(error)}`, { cause: error });
    }
  }
}

/** What has been heard and kept so far. */
class ScriptRunner {
  readonly #connection: Connection;
  readonly #saved = new Map<string, string>();
  readonly #decoder = new TextDecoder();
  /** What came: the line that is being read from its beginning, so that `^` can be told, and all after it. */
  #heard = "";
  /** Up to where it has been matched. */
  #at = 0;
  #patience = PATIENCE;
  /** A read that a timeout has left behind; two must not be under way. */
  #reading: Promise<Uint8Array | null> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async take(step: Step): Promise<void> {
    switch (step.does) {
      case "send":
        return await this.#connection.write(
          unescaped(this.#filled(step.text, (value) => value.replaceAll("\\", "\\\\"))),
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
        this.#patience = step.time;
    }
  }

  async #expect(pattern: Pattern): Promise<RegExpExecArray> {
    const expression = this.#expression(pattern);
    const deadline = performance.now() + (this.#patience || Infinity);
    for (;;) {
      expression.lastIndex = this.#at;
      const match = expression.exec(this.#heard);
      if (match) {
        this.#forget(expression.lastIndex);
        return match;
      }
      if (this.#heard.length - this.#at > LIMIT) {
        throw new Error(`${LIMIT >> 20} MiB came without it`);
      }
      await this.#hear(deadline);
    }
  }

  async #expectEnd(): Promise<void> {
    const deadline = performance.now() + (this.#patience || Infinity);
    while (await this.#read(deadline) !== null);
  }

  /** Adds what comes next to what was heard. */
  async #hear(deadline: number): Promise<void> {
    const chunk = await this.#read(deadline);
    if (chunk === null) throw new Error(`the peer ended the connection; ${this.#instead()}`);
    this.#heard += this.#decoder.decode(chunk, { stream: true });
  }

  async #read(deadline: number): Promise<Uint8Array | null> {
    this.#reading ??= this.#connection.read();
    const late = Promise.withResolvers<never>();
    const giveUp = tasks.guard(() =>
      late.reject(new Error(`not within ${formatDuration(this.#patience)}; ${this.#instead()}`))
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

  /** Forgets what has been matched, except for the line in which the match ended. */
  #forget(end: number): void {
    const lineStart = this.#heard.lastIndexOf("\n", end - 1) + 1;
    this.#heard = this.#heard.slice(lineStart);
    this.#at = end - lineStart;
  }

  #instead(): string {
    const rest = this.#heard.slice(this.#at);
    if (rest === "") return "nothing was received";
    const cut = rest.length > SHOWN ? `… ${rest.length - SHOWN} more` : "";
    return `received instead: ${JSON.stringify(rest.slice(0, SHOWN))}${cut}`;
  }

  #expression(pattern: Pattern): RegExp {
    if ("text" in pattern) {
      const text = new TextDecoder().decode(
        unescaped(this.#filled(pattern.text, (value) => value)),
      );
      return new RegExp(literal(text), "g");
    }
    return new RegExp(this.#filled(pattern.source, literal), `gm${pattern.flags}`);
  }

  /** The text with `${name}` replaced by what was saved, written so that it means itself there. */
  #filled(text: string, write: (value: string) => string): string {
    return text.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => {
      const value = this.#saved.get(name);
      if (value === undefined) throw new UsageError(`nothing was saved as ${quote(name)}`);
      return write(value);
    });
  }
}

/** A regular expression for the text as it stands. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
