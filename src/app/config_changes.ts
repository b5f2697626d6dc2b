/**
 * Loads the config of a server, and again when its file changes or on SIGHUP.
 *
 * @module
 */
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { checkNotEmptied } from "../config/server_rules.ts";
import type { EventBus } from "../events/event_bus.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import type { ConfigWatcher, ConfigWatcherOptions } from "./config_watcher.ts";

/**
 * Loads the config, asks for the passphrases of its keys, and checks what it needs of this machine.
 *
 * @throws {UsageError} where the config is wrong
 * @throws {Error} where something that it needs is missing
 */
export async function loadConfig(command: ServerCommand): Promise<ServerConfig> {
  const config = await loadUnchecked(command);
  const { askServerSecrets } = await import("./secrets.ts");
  await askServerSecrets(config);
  const { preflight } = await import("../server/preflight.ts");
  await preflight(config);
  return config;
}

/** Loads the config without checking what it needs. */
export async function loadUnchecked(command: ServerCommand): Promise<ServerConfig> {
  if ("config" in command) return command.config;
  const { readConfigFile } = await import("../config/config_file.ts");
  return await readConfigFile(command.file.path, command.file.flags);
}

/** Watches the config file, if there is one. To miss no change, call this before reading the file. */
export async function watchConfig(
  command: ServerCommand,
  options: ConfigWatcherOptions,
): Promise<ConfigWatcher | undefined> {
  if ("config" in command) return undefined;
  const { ConfigWatcher } = await import("./config_watcher.ts");
  return await ConfigWatcher.of(command.file.path, options);
}

/** Resolves as the promise, or to `undefined` once the signal is aborted: reading a FIFO may block forever. */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => aborted.resolve(undefined);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  handledElsewhere(promise);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** How the config of a running server changes. */
export interface ConfigChangesOptions {
  /** Reports changes of the file; absent without a file. */
  readonly watcher: ConfigWatcher | undefined;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
  /** Gets `reloading` and `rejected` events. */
  readonly eventBus: EventBus;
  /** The config that the server was started with. */
  readonly atStart: ServerConfig;
}

/** Yields each valid config that the file changes to, until the signal is aborted. */
export async function* configChanges(
  command: ServerCommand,
  { watcher, signal, eventBus, atStart }: ConfigChangesOptions,
): AsyncGenerator<ServerConfig> {
  while (await watcher?.next()) {
    eventBus.publish({ event: "reloading" });
    try {
      const config = await abortable(reloadConfig(command), signal);
      if (!config) continue;
      checkNotEmptied({ atStart, next: config });
      yield config;
    } catch (error) {
      publishRejected(eventBus, error);
    }
  }
}

/** Publishes that a config was rejected. */
export function publishRejected(eventBus: EventBus, error: unknown): void {
  eventBus.publish({ event: "rejected", reason: `${explain(error)}; nothing was changed` });
}

/** Refuses to reload from a FIFO, which would block. */
async function reloadConfig(command: ServerCommand): Promise<ServerConfig> {
  if ("file" in command) {
    const { path } = command.file;
    const info = await Deno.stat(path).catch(() => undefined);
    if (info && !info.isFile) {
      throw new Error(`cannot read the config file ${path}: it is not a regular file`);
    }
  }
  // serve() checks what it needs.
  return await loadUnchecked(command);
}
