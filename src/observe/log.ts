/**
 * Events on stderr, through LogTape: a line each, for people or for programs.
 *
 * @module
 */
import { configure, dispose, getLogger, type LogRecord } from "@logtape/logtape";
import type { OutletEvent } from "./events.ts";
import type { Journal } from "./journal.ts";
import { jsonLine, levelOf, textLine } from "./log_line.ts";

/** How much is logged, and how it looks. */
export interface LogOptions {
  /** The least serious events to show. */
  readonly level: "debug" | "info" | "warning" | "error";
  /** Lines for people, or one JSON object a line. */
  readonly format: "text" | "json";
  /** Takes each line, without its newline; must not wait. */
  write(line: string): void;
  /** Whether lines for people may be coloured. */
  readonly colour: boolean;
}

/** Logs every event of the journal until it is disposed. */
export async function openLog(
  journal: Journal,
  { level, format, write, colour }: LogOptions,
): Promise<AsyncDisposable> {
  const line = format === "json"
    ? jsonLine
    : (event: OutletEvent, at: Date) => textLine(event, { at, colour });
  await configure({
    reset: true,
    sinks: {
      lines: ({ properties, timestamp }: LogRecord) =>
        write(line(properties as unknown as OutletEvent, new Date(timestamp))),
    },
    loggers: [
      { category: "outlet", sinks: ["lines"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  const logger = getLogger("outlet");
  const subscription = journal.subscribe((event) =>
    logger[levelOf(event)](event.event, event as unknown as Record<string, unknown>)
  );
  return {
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      await dispose();
    },
  };
}
