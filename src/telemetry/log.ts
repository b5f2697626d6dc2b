/**
 * Events on stderr or in a file: a line each, for people or for programs.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { BoundedWriter } from "../terminal/bounded_writer.ts";
import { explain } from "../transport/errors.ts";
import { type LogFile, LogFileSink } from "./log_file.ts";
import { droppedLine, jsonLine, type Level, levelOf, textLine } from "./log_line.ts";

/** How much is logged, how it looks, and where it goes. */
export interface LogOptions {
  /** The least serious events to show. */
  readonly level: Level;
  /** Lines for people, or one JSON object a line. */
  readonly format: "text" | "json";
  /** Takes each line, without its newline; must not wait. Also what is to be told of the file. */
  write(line: string): void;
  /** Whether lines for people may be coloured. */
  readonly colour: boolean;
  /** The file that takes the lines instead. */
  readonly file?: LogFile | undefined;
}

/** Levels, from the least serious to the most. */
const LEVELS: Readonly<Record<Level, number>> = { debug: 0, info: 1, warning: 2, error: 3 };

/** How long a start waits for the file to be opened, in milliseconds: a disk that hangs stops no server. */
const OPENING = 2_000;

/** How often a file is written to while there is much to tell, in milliseconds. */
const INTERVAL = 100;

const tasks = new TaskScope("closing a log file", { without: "it stays open" });

/** What takes the lines. */
interface Sink extends AsyncDisposable {
  /** Resolves once it takes lines, or when that takes too long; rejects where it can't be opened. */
  readonly opened: Promise<void>;
  /** Takes a line, without its newline. */
  write(line: string): void;
}

/** Another way to log, ready to be used. */
export interface PreparedLog extends AsyncDisposable {
  /** Logs that way from now on. It is not disposed any more, then. */
  commit(): Promise<void>;
}

/** Logs every event of the event bus until it is disposed. */
export class Log implements AsyncDisposable {
  readonly #subscription: Disposable;
  #options: LogOptions;
  #sink: Sink;

  /** Logs what is told from now on. */
  constructor(eventBus: EventBus, options: LogOptions) {
    this.#options = options;
    this.#sink = openSink(options);
    this.#subscription = eventBus.subscribe((event) => this.#log(event));
  }

  /** Resolves once lines are taken; rejects where its file can't be opened. */
  get opened(): Promise<void> {
    return this.#sink.opened;
  }

  /**
   * Makes another way to log ready, and changes nothing yet.
   *
   * @throws {Error} where its file can't be opened
   */
  async prepare(options: LogOptions): Promise<PreparedLog> {
    const sink = openSink(options);
    await sink.opened;
    return {
      commit: async () => {
        const before = this.#sink;
        this.#options = options;
        this.#sink = sink;
        await before[Symbol.asyncDispose]();
      },
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    };
  }

  /** The line, in this log's format, that tells how many are missing before it. */
  droppedLine(count: number): string {
    return droppedLine(count, { ...this.#options, at: new Date() });
  }

  /** Ends it, once every line has been taken, or could have been. */
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

/** Lines into a file, in the background. What becomes of it is told where the lines would go without it. */
function fileSink(file: LogFile, { write, format }: LogOptions): Sink {
  const sink = new LogFileSink(file);
  const writer = new BoundedWriter(sink, {
    interval: INTERVAL,
    countedAs: "file",
    notice: (count) => droppedLine(count, { format, date: true, at: new Date() }),
    onFault: (error) =>
      write(`outlet: the log ${file.path}: ${explain(error)}; what it does not take is counted`),
  });
  const opened = opening(sink, () => write(`outlet: the log ${file.path} is not open yet`));
  handledElsewhere(opened);
  return {
    opened,
    write: (line) => writer.writeLine(line),
    async [Symbol.asyncDispose]() {
      const isTaken = await writer.flush();
      // What is stuck is closed once it is not.
      if (isTaken) sink[Symbol.dispose]();
      else tasks.run(writer.drained().then(() => sink[Symbol.dispose]()));
      const lost = writer.dropped + writer.waiting;
      if (lost > 0) write(`outlet: the log ${file.path}: ${lost} lines were not taken`);
    },
  };
}

/** Resolves once it is open, or when that takes too long. */
async function opening(sink: LogFileSink, onLate: () => void): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, OPENING);
  const opened = sink.open().then(() => true);
  const isOpen = await Promise.race([opened, late.promise]);
  clearTimeout(timer);
  if (!isOpen) onLate();
}
