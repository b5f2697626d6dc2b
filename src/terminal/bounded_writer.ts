/**
 * Text to a stream that may be slow, stuck or gone, without ever waiting for it: stdout, stderr, a terminal, a log file.
 *
 * @module
 */
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";

/** Where text goes: what `Deno.stderr` offers of a stream. */
export interface ByteSink {
  /** Takes some of the bytes, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** What becomes of text that cannot be taken. */
export interface BoundedWriterOptions {
  /** Characters that may wait for the stream; what comes then is dropped. */
  readonly limit?: number;
  /** The line that tells the reader how many were dropped before it. */
  readonly notice?: (dropped: number) => string;
  /** Milliseconds between two writes, where each costs much: what comes alone is written at once. */
  readonly interval?: number;
  /** Told when the stream fails or cannot follow, once until it works again. */
  readonly onFault?: (error: unknown) => void;
}

/** Characters that wait, where it is not said otherwise. As many can be with the system. */
const LIMIT = 1024 * 1024;

/** How long the end of the program waits for the last lines, in milliseconds. */
const FLUSH = 1_000;

/** Where so many lines wait already, the rest of their turn goes out with them. */
const FEW = 4;

const encoder = new TextEncoder();

/** Writes in order. What the stream does not take in time is dropped, counted, and told. */
export class BoundedWriter {
  /** The line that tells the reader how many were dropped before it. */
  notice: (dropped: number) => string;

  readonly #sink: ByteSink;
  readonly #limit: number;
  readonly #interval: number;
  readonly #onFault: (error: unknown) => void;
  #waiting: string[] = [];
  #length = 0;
  #underWay = 0;
  #dropped = 0;
  #untold = 0;
  #isTorn = false;
  #isFaulty = false;
  #writing: Promise<void> | undefined;
  #isFlushed = false;
  #wake = () => {};

  /** Text to this stream. */
  constructor(sink: ByteSink, options: BoundedWriterOptions = {}) {
    this.#sink = sink;
    this.#limit = options.limit ?? LIMIT;
    this.#interval = options.interval ?? 0;
    this.#onFault = options.onFault ?? (() => {});
    this.notice = options.notice ?? ((dropped) => `… ${dropped} lines dropped`);
  }

  /** Texts that were never taken. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Texts that have still to be taken. */
  get waiting(): number {
    return this.#waiting.length + this.#underWay;
  }

  /** Whether the stream has taken all there was. */
  get isIdle(): boolean {
    return this.#writing === undefined;
  }

  /** Puts a line, given without its newline, in the queue. */
  writeLine(line: string): void {
    this.write(line + "\n");
  }

  /** Puts text in the queue, as it is: all of it, or nothing. */
  write(text: string): void {
    if (this.#length > this.#limit) {
      this.#drop(1);
      return this.#tellFault(new Error("it does not take lines as fast as they come"));
    }
    this.#waiting.push(text);
    this.#length += text.length;
    if (this.#writing !== undefined) return;
    this.#writing = this.#writeAll();
    handledElsewhere(this.#writing);
  }

  /**
   * Waits until all is taken, or for so many milliseconds at most.
   *
   * @returns whether all was taken
   */
  async flush({ within = FLUSH }: { within?: number } = {}): Promise<boolean> {
    if (this.#writing === undefined) return true;
    this.#isFlushed = true;
    this.#wake();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, within);
    await Promise.race([this.#writing, late.promise]);
    clearTimeout(timer);
    return this.isIdle;
  }

  /** Resolves when all has been taken, or dropped, however long that takes. */
  async taken(): Promise<void> {
    await this.#writing;
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#untold += count;
  }

  async #writeAll(): Promise<void> {
    // What is written at the same moment goes out in one write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      if (this.#waiting.length > FEW) await nextTurn();
      const batch = this.#waiting;
      this.#waiting = [];
      this.#length = 0;
      this.#underWay = batch.length;
      const untold = this.#untold;
      this.#untold = 0;
      const told = untold > 0 ? this.notice(untold) + "\n" : "";
      const isTaken = await this.#send(encoder.encode(batch.join("") + told));
      this.#underWay = 0;
      if (!isTaken) {
        this.#untold += untold;
        this.#drop(batch.length);
      }
      if (this.#interval > 0 && !this.#isFlushed) await this.#rest();
    }
    this.#writing = undefined;
    this.#isFlushed = false;
  }

  /** Lets lines gather, unless somebody waits for them. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#interval);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #tellFault(error: unknown): void {
    if (!this.#isFaulty) this.#onFault(error);
    this.#isFaulty = true;
  }

  /** Whether the stream took it all. A line that was torn is ended before the next. */
  async #send(bytes: Uint8Array): Promise<boolean> {
    let sent = 0;
    try {
      if (this.#isTorn) await this.#sink.write(encoder.encode("\n"));
      this.#isTorn = false;
      while (sent < bytes.length) sent += await this.#sink.write(bytes.subarray(sent));
      this.#isFaulty = false;
      return true;
    } catch (error) {
      this.#isTorn ||= sent > 0 && bytes[sent - 1] !== 0x0a;
      this.#tellFault(error);
      return false;
    }
  }
}
