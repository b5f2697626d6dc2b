/**
 * Events on stderr or in a file: a line each, for people or for programs.
 *
 * @module
 */
import type { ConsoleSinkOptions, LogRecord } from "@logtape/logtape";
import { explain } from "../transport/errors.ts";
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
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

/** Levels, from the least serious to the most. */
const LEVELS: readonly LogOptions["level"][] = ["debug", "info", "warning", "error"];

/** Takes lines, each without its newline. */
interface Sink extends AsyncDisposable {
  write(...line: Parameters<typeof recordOf>): void;
}

/**
 * Logs every event of the event bus until it is disposed. What is told while LogTape is being loaded waits for it, for
 * a server can listen meanwhile.
 */
export class Log implements AsyncDisposable {
  /** Resolves once lines are taken; rejects where its file can't be opened. */
  readonly opened: Promise<void>;

  readonly #subscription: Disposable;
  #options: LogOptions;
  #sink: Sink | undefined;
  #waiting: Parameters<Sink["write"]>[] = [];

  /** Logs what is told from now on. */
  constructor(eventBus: EventBus, options: LogOptions) {
    this.#options = options;
    this.#subscription = eventBus.subscribe((event) => this.#tell(event));
    this.opened = this.#open();
    // Whoever waits for it hears of the failure, and whoever doesn't gets no lines.
    this.opened.catch(() => {});
  }

  /**
   * Logs in another way from now on.
   *
   * @throws {Error} where its file can't be opened
   */
  async change(options: LogOptions): Promise<void> {
    const sink = await openSink(options);
    const before = this.#sink;
    this.#options = options;
    this.#sink = sink;
    await before?.[Symbol.asyncDispose]();
  }

  /** Ends it, once every line has been taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await this.opened.catch(() => {});
    await this.#sink?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<void> {
    const sink = await openSink(this.#options);
    for (const line of this.#waiting) sink.write(...line);
    this.#waiting = [];
    this.#sink = sink;
  }

  #tell(event: OutletEvent): void {
    const { level, format, colour, file } = this.#options;
    const seriousness = levelOf(event);
    if (LEVELS.indexOf(seriousness) < LEVELS.indexOf(level)) return;
    const at = new Date();
    const line = format === "json"
      ? jsonLine(event, at)
      : textLine(event, { at, colour: colour && !file });
    const about = { at, level: seriousness };
    if (this.#sink) this.#sink.write(line, about);
    else this.#waiting.push([line, about]);
  }
}

function openSink({ write, file }: LogOptions): Promise<Sink> {
  return file ? fileSink(file) : lineSink(write);
}

/**
 * Lines to whoever takes them, through LogTape's logger. A record that brings its category, and a sink that is
 * LogTape's own for a console, spare two copies of every record.
 */
async function lineSink(write: LogOptions["write"]): Promise<Sink> {
  const { configure, getConsoleSink, getLogger } = await import("@logtape/logtape");
  const lines = {
    debug: write,
    info: write,
    warn: write,
    error: write,
  } as Required<ConsoleSinkOptions>["console"];
  await configure({
    reset: true,
    sinks: { lines: getConsoleSink({ console: lines, formatter: ({ message }) => [...message] }) },
    loggers: [
      { category: "outlet", sinks: ["lines"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  const logger = getLogger("outlet");
  return {
    write: (line, about) => logger.emit(recordOf(line, about)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function recordOf(
  line: string,
  { at, level }: { at: Date; level: LogOptions["level"] },
): LogRecord {
  return {
    category: ["outlet"],
    level,
    message: [line],
    rawMessage: line,
    timestamp: at.getTime(),
    properties: {},
  };
}

/** Bytes that may wait for the file, and for how many milliseconds, while there is much to tell. */
const BATCH = { bytes: 256 * 1024, time: 250 };

/**
 * Lines into a file, in the background, through LogTape's sink, which turns files over. What comes alone is
 * written at once: the file is what is read when something went wrong. LogTape's logger is not on the way, for
 * it takes longer over a line than an outlet over a connection.
 */
async function fileSink({ path, maxSize, maxFiles }: LogFile): Promise<Sink> {
  const { getRotatingFileSink } = await import("@logtape/file");
  try {
    const open = new AsyncDisposableStack();
    const sink = open.use(getRotatingFileSink(path, {
      maxSize,
      // LogTape counts the files that are put aside.
      maxFiles: maxFiles - 1,
      formatter: ({ rawMessage }) => `${rawMessage}\n`,
      nonBlocking: true,
      // A batch goes into one file, and a file has room for several.
      bufferSize: Math.min(BATCH.bytes, maxSize / 8),
      flushInterval: BATCH.time,
    }));
    return {
      write: (line, about) => sink(recordOf(line, about)),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  } catch (cause) {
    throw new Error(`cannot open the log ${path}: ${explain(cause)}`, { cause });
  }
}
