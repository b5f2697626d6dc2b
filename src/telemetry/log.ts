/**
 * Logs events to stderr or to a file, one line each.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { BoundedWriter } from "../terminal/bounded_writer.ts";
import { explain } from "../transport/errors.ts";
import { type LogFile, LogFileSink } from "./log_file.ts";
import { jsonLine } from "./json_line.ts";
import { type Level, levelOf } from "./log_level.ts";
import { droppedLine, textLine } from "./text_line.ts";

/** What is logged, in which format, and where. */
export interface LogOptions {
  /** The lowest level to log. */
  readonly level: Level;
  /** Lines of text, or JSON objects. */
  readonly format: "text" | "json";
  /** Writes a line, given without its newline, without blocking; also errors about the file. */
  write(line: string): void;
  /** Whether lines of text may be coloured. */
  readonly colour: boolean;
  /** The file to log to instead. */
  readonly file?: LogFile | undefined;
}

/** The order of levels. */
const LEVELS: Readonly<Record<Level, number>> = { debug: 0, info: 1, warning: 2, error: 3 };

/** How long the start waits for the file to be opened, in milliseconds: a hanging disk must not block it forever. */
const OPEN_TIMEOUT = 2_000;

/** The pause between writes to the file, in milliseconds. */
const INTERVAL = 100;

const tasks = new TaskScope("closing a log file", { consequence: "it stays open" });

/** The destination of the log. */
interface Sink extends AsyncDisposable {
  /** Resolves once the file is open, or after a timeout; rejects where it cannot be opened. */
  readonly opened: Promise<void>;
  /** Writes a line, given without its newline. */
  write(line: string): void;
}

/** A prepared change of the log. */
export interface PreparedLog extends AsyncDisposable {
  /** Applies the change. It must not be disposed afterwards. */
  commit(): Promise<void>;
}

/** Logs every event of an event bus until it is disposed. */
export class Log implements AsyncDisposable {
  readonly #subscription: Disposable;
  #options: LogOptions;
  #sink: Sink;

  /** Subscribes to the event bus. */
  constructor(eventBus: EventBus, options: LogOptions) {
    this.#options = options;
    this.#sink = openSink(options);
    this.#subscription = eventBus.subscribe((event) => this.#log(event));
  }

  /** Resolves once the file is open, or after a timeout; rejects where it cannot be opened. */
  get opened(): Promise<void> {
    return this.#sink.opened;
  }

  /**
   * Prepares a change to other options.
   *
   * @throws {Error} where its file cannot be opened
   */
  async prepare(options: LogOptions): Promise<PreparedLog> {
    const sink = openSink(options);
    await sink.opened;
    return {
      commit: async () => {
        const old = this.#sink;
        this.#options = options;
        this.#sink = sink;
        await old[Symbol.asyncDispose]();
      },
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    };
  }

  /** The line that reports dropped lines, in the log's format. */
  droppedLine(count: number): string {
    return droppedLine(count, { ...this.#options, at: new Date() });
  }

  /** Unsubscribes, and waits a bounded time until all lines are written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    await this.#sink[Symbol.asyncDispose]();
  }

  #log(event: OutletEvent): void {
    const { level, format, colour, file } = this.#options;
    if (LEVELS[levelOf(event)] < LEVELS[level]) return;
    const at = new Date();
    const line = format === "json"
      ? jsonLine(event, at)
      : textLine(event, { at, colour: colour && !file, date: file !== undefined });
    this.#sink.write(line);
  }
}

function openSink(options: LogOptions): Sink {
  const { write, file } = options;
  if (file) return fileSink(file, options);
  return { write, opened: Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Logs to a file in the background. Errors about it are written with `write`. */
function fileSink(file: LogFile, { write, format }: LogOptions): Sink {
  const sink = new LogFileSink(file);
  const writer = new BoundedWriter(sink, {
    interval: INTERVAL,
    countedAs: "file",
    notice: (count) => droppedLine(count, { format, date: true, at: new Date() }),
    onFault: (error) =>
      write(`outlet: the log ${file.path}: ${explain(error)}; dropped lines are counted`),
  });
  const opened = opening(sink, () => write(`outlet: the log ${file.path} is not open yet`));
  handledElsewhere(opened);
  return {
    opened,
    write: (line) => writer.writeLine(line),
    async [Symbol.asyncDispose]() {
      const isWritten = await writer.flush();
      // A blocked file is closed once the write ends.
      if (isWritten) sink[Symbol.dispose]();
      else tasks.run(writer.drained().then(() => sink[Symbol.dispose]()));
      const lost = writer.dropped + writer.waiting;
      if (lost > 0) write(`outlet: the log ${file.path}: ${lost} lines were dropped`);
    },
  };
}

/** Opens the file, but does not wait longer than the timeout. */
async function opening(sink: LogFileSink, onLate: () => void): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, OPEN_TIMEOUT);
  const opened = sink.open().then(() => true);
  const isOpen = await Promise.race([opened, late.promise]);
  clearTimeout(timer);
  if (!isOpen) onLate();
}
