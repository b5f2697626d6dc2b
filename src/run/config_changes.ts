/**
 * The config of a running server: read once, and again whenever its file changes or somebody asks.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { debounce } from "@std/async/debounce";
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import type { Journal } from "../observe/journal.ts";
import { explain } from "../socket/faults.ts";

/** How long a file has to be left alone before it is read, in milliseconds: editors write in steps. */
const SETTLE = 100;

/** What the server was asked to be, in words or in a file. */
export async function loadConfig(command: ServerCommand): Promise<ServerConfig> {
  if ("config" in command) return command.config;
  const { readConfigFile } = await import("../config/config_file.ts");
  return await readConfigFile(command.file.path, command.file.flags);
}

/** When to read the config again, and who is told how that went. */
export interface ConfigChangesOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** A `hangup` event asks for another look. */
  readonly hangups: EventTarget;
  /** Told of every look, and of files that are no config. */
  readonly journal: Journal;
}

/** Every config that the file becomes, until the signal is aborted. A file that is none is told, and passed over. */
export async function* configChanges(
  command: ServerCommand,
  { signal, hangups, journal }: ConfigChangesOptions,
): AsyncGenerator<ServerConfig> {
  if ("config" in command || signal.aborted) return;
  using looks = new Looks(command.file.path, { signal, hangups });
  while (await looks.next()) {
    journal.publish({ event: "reloading" });
    try {
      yield await loadConfig(command);
    } catch (error) {
      journal.publish({ event: "rejected", reason: `${explain(error)}; all stays as it was` });
    }
  }
}

/** The moments at which the file is worth another look. However many come while one is used, one follows. */
class Looks implements Disposable {
  readonly #stack = new DisposableStack();
  readonly #signal: AbortSignal;
  #due = false;
  #wake = () => {};

  constructor(
    path: string,
    { signal, hangups }: Pick<ConfigChangesOptions, "signal" | "hangups">,
  ) {
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
