/**
 * Events on stderr or in a file, through LogTape: a line each, for people or for programs.
 *
 * @module
 */
import { configure, dispose, getLogger, type LogRecord, type Sink } from "@logtape/logtape";
import { explain } from "../socket/faults.ts";
import type { OutletEvent } from "./events.ts";
import type { Journal } from "./journal.ts";
import { jsonLine, levelOf, textLine } from "./log_line.ts";

/** How much is logged, how it looks, and where it goes. */
export interface LogOptions {
  /** The least serious events to show. */
  readonly level: "debug" | "info" | "warning" | "error";
  /** Lines for people, or one JSON object a line. */
  readonly format: "text" | "json";
  /** Takes each line, without its newline; must not wait. */
  write(line: string): void;
  /** Whether lines for people may be coloured. */
  readonly colour: boolean;
  /** The file that takes the lines instead. */
  readonly file?: LogFile | undefined;
}

/** A file that is put aside when it has grown: `FILE` becomes `FILE.1`, that `FILE.2`, and so on. */
export interface LogFile {
  /** Where it is. */
  readonly path: string;
  /** The bytes at which it is put aside. */
  readonly maxSize: number;
  /** How many files are kept, itself included. */
  readonly maxFiles: number;
}

/** Logs every event of the journal until it is disposed. There is one log in a process. */
export class Log implements AsyncDisposable {
  readonly #subscription: Disposable;

  private constructor(journal: Journal) {
    const logger = getLogger("outlet");
    this.#subscription = journal.subscribe((event) =>
      logger[levelOf(event)](event.event, event as unknown as Record<string, unknown>)
    );
  }

  /**
   * Opens the log.
   *
   * @throws {Error} where its file can't be opened
   */
  static async open(journal: Journal, options: LogOptions): Promise<Log> {
    await apply(options);
    return new Log(journal);
  }

  /**
   * Logs in another way from now on.
   *
   * @throws {Error} where its file can't be opened
   */
  async change(options: LogOptions): Promise<void> {
    await apply(options);
  }

  /** Ends it, once every line has been taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await dispose();
  }
}

async function apply(options: LogOptions): Promise<void> {
  const { level, format, write, colour, file } = options;
  const tell = format === "json"
    ? jsonLine
    : (event: OutletEvent, at: Date) => textLine(event, { at, colour: colour && !file });
  const line = ({ properties, timestamp }: LogRecord) =>
    tell(properties as unknown as OutletEvent, new Date(timestamp));
  await configure({
    reset: true,
    sinks: { lines: file ? await fileSink(file, line) : (record) => write(line(record)) },
    loggers: [
      { category: "outlet", sinks: ["lines"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
}

/** Lines into a file, in the background, and at once: the file is what is read when something went wrong. */
async function fileSink(
  { path, maxSize, maxFiles }: LogFile,
  line: (record: LogRecord) => string,
): Promise<Sink> {
  const { getRotatingFileSink } = await import("@logtape/file");
  try {
    return getRotatingFileSink(path, {
      maxSize,
      // LogTape counts the files that are put aside.
      maxFiles: maxFiles - 1,
      formatter: (record) => line(record) + "\n",
      nonBlocking: true,
      bufferSize: 0,
    });
  } catch (cause) {
    throw new Error(`cannot open the log ${path}: ${explain(cause)}`, { cause });
  }
}
