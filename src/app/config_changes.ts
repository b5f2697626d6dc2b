/**
 * The config of a running server: read once, and again whenever its file changes or somebody asks.
 *
 * @module
 */
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { refuseEmptyReload } from "../config/server_rules.ts";
import type { EventBus } from "../events/event_bus.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import type { ConfigWatcher, ConfigWatcherOptions } from "./config_watcher.ts";

/**
 * What the server was asked to be, in words or in a file.
 *
 * @throws {UsageError} where that is no config
 * @throws {Error} where something that it needs is not there
 */
export async function loadConfig(command: ServerCommand): Promise<ServerConfig> {
  const config = await readConfig(command);
  const { preflight } = await import("../server/preflight.ts");
  await preflight(config);
  return config;
}

/** The same, without a look at what it needs. */
export async function readConfig(command: ServerCommand): Promise<ServerConfig> {
  if ("config" in command) return command.config;
  const { readConfigFile } = await import("../config/config_file.ts");
  return await readConfigFile(command.file.path, command.file.flags);
}

/** Watches the config's file, if there is one. Begin before it is read for the first time: then no change is missed. */
export async function watchConfig(
  command: ServerCommand,
  options: ConfigWatcherOptions,
): Promise<ConfigWatcher | undefined> {
  if ("config" in command) return undefined;
  const { ConfigWatcher } = await import("./config_watcher.ts");
  return await ConfigWatcher.of(command.file.path, options);
}

/** What a promise resolves to, or `undefined` once the signal is aborted: a pipe may never say anything. */
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

/** Where configs come from, and who is told how that went. */
export interface ConfigChangesOptions {
  /** Says when to read it again. */
  readonly watcher: ConfigWatcher | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told of every look, and of files that are no config. */
  readonly eventBus: EventBus;
  /** What the server was asked to be at first. */
  readonly atStart: ServerConfig;
}

/** Every config that the file becomes, until the signal is aborted. A file that is none is told, and passed over. */
export async function* configChanges(
  command: ServerCommand,
  { watcher, signal, eventBus, atStart }: ConfigChangesOptions,
): AsyncGenerator<ServerConfig> {
  while (await watcher?.next()) {
    eventBus.publish({ event: "reloading" });
    try {
      const config = await abortable(reloadConfig(command), signal);
      if (!config) continue;
      refuseEmptyReload({ atStart, next: config });
      yield config;
    } catch (error) {
      eventBus.publish({ event: "rejected", reason: `${explain(error)}; all stays as it was` });
    }
  }
}

/** A pipe can be read once; a file that has become one would be waited for. */
async function reloadConfig(command: ServerCommand): Promise<ServerConfig> {
  if ("file" in command) {
    const { path } = command.file;
    const info = await Deno.stat(path).catch(() => undefined);
    if (info && !info.isFile) {
      throw new Error(`cannot read the config ${path}: it is no regular file`);
    }
  }
  // What it needs is looked at when the server is to become it.
  return await readConfig(command);
}
