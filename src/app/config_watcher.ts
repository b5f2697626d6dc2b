/**
 * When a file is worth another look: it has changed, or somebody asks.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { debounce } from "@std/async/debounce";

/** How long a file has to be left alone before it is read, in milliseconds: editors write in steps. */
const SETTLE = 100;

/** What wakes those who look. */
export interface ConfigWatcherOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** A `hangup` event asks for another look. */
  readonly hangups: EventTarget;
}

/** The moments at which the file is worth another look. However many come while one is used, one follows. */
export class ConfigWatcher implements Disposable {
  readonly #stack = new DisposableStack();
  readonly #signal: AbortSignal;
  #due = false;
  #wake = () => {};

  /** Looks at this file. */
  constructor(path: string, { signal, hangups }: ConfigWatcherOptions) {
    this.#signal = signal;
    const look = () => {
      this.#due = true;
      this.#wake();
    };
    const lookSoon = debounce(look, SETTLE);
    const wake = () => this.#wake();
    hangups.addEventListener("hangup", look);
    signal.addEventListener("abort", wake);
    const watcher = watchFile(path, lookSoon);
    this.#stack.defer(() => {
      hangups.removeEventListener("hangup", look);
      signal.removeEventListener("abort", wake);
      watcher?.close();
      lookSoon.clear();
    });
  }

  /** Resolves to `true` when it is time to look, to `false` when there will be no more looks. */
  async next(): Promise<boolean> {
    while (!this.#due && !this.#signal.aborted) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#due = false;
    return !this.#signal.aborted;
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Watches the file's folder: a file that is replaced by renaming another is not the one that was watched. */
function watchFile(path: string, onChange: () => void): Deno.FsWatcher {
  const file = resolve(path);
  const watcher = Deno.watchFs(dirname(file), { recursive: false });
  (async () => {
    for await (const { kind, paths } of watcher) {
      if (kind !== "access" && paths.includes(file)) onChange();
    }
  })();
  return watcher;
}
