/**
 * The config of a running server: read once, and again whenever its file changes or somebody asks.
 *
 * @module
 */
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import type { EventBus } from "../events/event_bus.ts";
import { explain } from "../transport/errors.ts";
import type { ConfigWatcherOptions } from "./config_watcher.ts";

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

/** When to read the config again, and who is told how that went. */
export interface ConfigChangesOptions extends ConfigWatcherOptions {
  /** Told of every look, and of files that are no config. */
  readonly eventBus: EventBus;
}

/** Every config that the file becomes, until the signal is aborted. A file that is none is told, and passed over. */
export async function* configChanges(
  command: ServerCommand,
  { signal, hangups, eventBus }: ConfigChangesOptions,
): AsyncGenerator<ServerConfig> {
  if ("config" in command || signal.aborted) return;
  const { ConfigWatcher } = await import("./config_watcher.ts");
  using looks = new ConfigWatcher(command.file.path, { signal, hangups });
  while (await looks.next()) {
    eventBus.publish({ event: "reloading" });
    try {
      yield await loadConfig(command);
    } catch (error) {
      eventBus.publish({ event: "rejected", reason: `${explain(error)}; all stays as it was` });
    }
  }
}
