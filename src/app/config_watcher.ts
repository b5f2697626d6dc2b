/**
 * When a config file is worth another look: it has changed, or somebody asks.
 *
 * The file is looked at twice a second, as Caddy does, instead of being watched by the kernel: that sees files behind
 * symbolic links and in folders that are made anew, on every file system, and needs nothing that can be used up.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";

/** How often the file is looked at, in milliseconds. */
const PERIOD = 500;

/** How long a file has to be left alone before it is read, in milliseconds: editors write in steps. */
const SETTLE = 100;

const tasks = new TaskScope("watching the config", { without: "SIGHUP still has it read again" });

/** What wakes those who look. */
export interface ConfigWatcherOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Registers who is called when somebody asks for another look. */
  onHangup(look: () => void): void;
}

/** The moments at which a file is worth another look. However many come while one is used, one follows. */
export class ConfigWatcher implements Disposable {
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #closed = new AbortController();
  readonly #wakeUp = tasks.guard(() => this.#wake());
  #seen: string;
  #isDue = false;
  #wake = () => {};

  private constructor(path: string, seen: string, { signal, onHangup }: ConfigWatcherOptions) {
    this.#path = path;
    this.#seen = seen;
    this.#signal = signal;
    signal.addEventListener("abort", this.#wakeUp);
    onHangup(() => this.#look());
    tasks.run(this.#poll());
  }

  /** Watches a file from now on: what it is now is what will be read first. */
  static async of(path: string, options: ConfigWatcherOptions): Promise<ConfigWatcher> {
    return new ConfigWatcher(path, await markOf(path), options);
  }

  /** Resolves to `true` when it is time to look, to `false` when there will be no more looks. */
  async next(): Promise<boolean> {
    while (!this.#isDue && !this.#signal.aborted) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#isDue = false;
    return !this.#signal.aborted;
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#signal.removeEventListener("abort", this.#wakeUp);
  }

  #look(): void {
    this.#isDue = true;
    this.#wake();
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closed;
    let before = this.#seen;
    while (!signal.aborted) {
      const mark = await markOf(this.#path);
      if (mark !== this.#seen && mark === before) {
        this.#seen = mark;
        this.#look();
      }
      const pause = mark === this.#seen ? PERIOD : SETTLE;
      before = mark;
      await delay(pause, { signal }).catch(() => {});
    }
  }
}

/** What differs once a file has changed. What is no regular file, such as a pipe, does not change. */
async function markOf(path: string): Promise<string> {
  try {
    const { isFile, dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return isFile ? [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join() : "no regular file";
  } catch (error) {
    return String(error);
  }
}
