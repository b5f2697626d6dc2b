/**
 * Writes text to a stream that may be slow or stuck (stdout, stderr, a terminal, a log file) without blocking the
 * caller or using unbounded memory.
 *
 * @module
 */
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";
import { countDropped, type CountedSink } from "./drop_counts.ts";

/** The part of `Deno.stderr` that is used. */
export interface ByteSink {
  /** Writes some of the bytes and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How text is buffered and dropped. */
export interface BoundedWriterOptions {
  /** The most buffered characters; text beyond that is dropped. 1 Mi by default. */
  readonly limit?: number;
  /** The sink under which dropped texts are counted in the metrics. */
  readonly countedAs?: CountedSink;
  /** The line that reports how many texts were dropped before it. */
  readonly notice?: (dropped: number) => string;
  /** The pause after each write, in milliseconds, to batch text where a write is expensive. */
  readonly interval?: number;
  /** Called when the stream fails or is too slow; once, until it works again. */
  readonly onFault?: (error: unknown) => void;
}

/** The default limit. A write in progress may hold as much again. */
const LIMIT = 1024 * 1024;

/** How long `flush` waits by default, in milliseconds. */
const FLUSH_TIMEOUT = 1_000;

/** With more texts than this in the buffer, the write waits for the other texts of this turn. */
const BATCH_THRESHOLD = 4;

const encoder = new TextEncoder();

/** Writes texts in order. Texts beyond the limit are dropped, counted and reported. */
export class BoundedWriter {
  /** The line that reports how many texts were dropped before it. */
  notice: (dropped: number) => string;

  readonly #sink: ByteSink;
  readonly #limit: number;
  readonly #interval: number;
  readonly #countedAs: CountedSink | undefined;
  readonly #onFault: (error: unknown) => void;
  #waiting: string[] = [];
  #length = 0;
  #inFlight = 0;
  #dropped = 0;
  #unreported = 0;
  #isLineBroken = false;
  #isFaulty = false;
  #writing: Promise<void> | undefined;
  #isFlushed = false;
  #wake = () => {};

  /** Writes to this stream. */
  constructor(sink: ByteSink, options: BoundedWriterOptions = {}) {
    this.#sink = sink;
    this.#limit = options.limit ?? LIMIT;
    this.#interval = options.interval ?? 0;
    this.#countedAs = options.countedAs;
    this.#onFault = options.onFault ?? (() => {});
    this.notice = options.notice ?? ((dropped) => `… ${dropped} lines dropped`);
  }

  /** How many texts were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many texts are not written yet. */
  get waiting(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /** Whether everything is written. */
  get isIdle(): boolean {
    return this.#writing === undefined;
  }

  /** Queues a line, given without its newline. */
  writeLine(line: string): void {
    this.write(line + "\n");
  }

  /** Queues text, or drops all of it. */
  write(text: string): void {
    if (this.#length > this.#limit) {
      this.#drop(1);
      return this.#reportFault(new Error("it does not accept lines as fast as they are written"));
    }
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#writing !== undefined) return;
    this.#writing = this.#writeAll();
    handledElsewhere(this.#writing);
  }

  /**
   * Waits until everything is written, at most for this many milliseconds.
   *
   * @returns whether everything was written
   */
  async flush({ within = FLUSH_TIMEOUT }: { within?: number } = {}): Promise<boolean> {
    if (this.#writing === undefined) return true;
    this.#isFlushed = true;
    this.#wake();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, within);
    await Promise.race([this.#writing, late.promise]);
    clearTimeout(timer);
    return this.isIdle;
  }

  /** Resolves when everything is written or dropped, however long that takes. */
  async drained(): Promise<void> {
    await this.#writing;
  }

  #drop(count: number): void {
    this.#dropped += count;
    if (this.#countedAs) countDropped(this.#countedAs, count);
    this.#unreported += count;
  }

  async #writeAll(): Promise<void> {
    // Texts that are queued in the same microtask go out in one write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      if (this.#waiting.length > BATCH_THRESHOLD) await nextTurn();
      const batch = this.#waiting;
      this.#waiting = [];
      this.#length = 0;
      this.#inFlight = batch.length;
      const unreported = this.#unreported;
      this.#unreported = 0;
      const notice = unreported > 0 ? this.notice(unreported) + "\n" : "";
      const isWritten = await this.#send(encoder.encode(batch.join("") + notice));
      this.#inFlight = 0;
      if (!isWritten) {
        this.#unreported += unreported;
        this.#drop(batch.length);
      }
      if (this.#interval > 0 && !this.#isFlushed) await this.#pause();
    }
    this.#writing = undefined;
    this.#isFlushed = false;
  }

  /** Waits for the interval, or until `flush`. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#interval);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #reportFault(error: unknown): void {
    if (!this.#isFaulty) this.#onFault(error);
    this.#isFaulty = true;
  }

  /** Whether all bytes were written. After a partial line, a newline is written first. */
  async #send(bytes: Uint8Array): Promise<boolean> {
    let sent = 0;
    try {
      if (this.#isLineBroken) await this.#sink.write(encoder.encode("\n"));
      this.#isLineBroken = false;
      while (sent < bytes.length) sent += await this.#sink.write(bytes.subarray(sent));
      this.#isFaulty = false;
      return true;
    } catch (error) {
      this.#isLineBroken ||= sent > 0 && bytes[sent - 1] !== 0x0a;
      this.#reportFault(error);
      return false;
    }
  }
}
