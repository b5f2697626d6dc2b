/**
 * Reports when a config file has changed, or on SIGHUP.
 *
 * It polls stat(2) twice a second instead of using inotify(7): that works behind symbolic links, in replaced directories
 * and on all file systems, and uses no inotify watches.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";

/** How often the file is checked, in milliseconds. */
const PERIOD = 500;

/** How long a changed file must stay unchanged before it is reported, because editors write in several steps. */
const SETTLE = 100;

const tasks = new TaskScope("watching the config file", { consequence: "SIGHUP still reloads it" });

/** When to stop watching, and another source of reloads. */
export interface ConfigWatcherOptions {
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
  /** Sets the callback for SIGHUP. */
  onHangup(callback: () => void): void;
}

/** Watches a file. Changes between two calls of `next` are reported once. */
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
    onHangup(() => this.#report());
    tasks.run(this.#poll());
  }

  /** Starts watching for changes from the file's current state. */
  static async of(path: string, options: ConfigWatcherOptions): Promise<ConfigWatcher> {
    return new ConfigWatcher(path, await fingerprint(path), options);
  }

  /** Resolves to `true` when the file should be reloaded, and to `false` when the server stops. */
  async next(): Promise<boolean> {
    while (!this.#isDue && !this.#signal.aborted) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#isDue = false;
    return !this.#signal.aborted;
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#signal.removeEventListener("abort", this.#wakeUp);
  }

  #report(): void {
    this.#isDue = true;
    this.#wake();
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closed;
    let last = this.#seen;
    while (!signal.aborted) {
      const mark = await fingerprint(this.#path);
      if (mark !== this.#seen && mark === last) {
        this.#seen = mark;
        this.#report();
      }
      const pause = mark === this.#seen ? PERIOD : SETTLE;
      last = mark;
      await delay(pause, { signal }).catch(() => {});
    }
  }
}

/** A text that differs once the file has changed. Files that are not regular, such as FIFOs, never change. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { isFile, dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return isFile
      ? [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join()
      : "not a regular file";
  } catch (error) {
    return String(error);
  }
}
