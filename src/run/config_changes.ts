/**
 * The config of a running server: read once, and again whenever its file changes or somebody asks.
 *
 * @module
 */
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import type { Journal } from "../observe/journal.ts";
import { explain } from "../socket/faults.ts";
import type { LooksOptions } from "./looks.ts";

/** What the server was asked to be, in words or in a file. */
export async function loadConfig(command: ServerCommand): Promise<ServerConfig> {
  if ("config" in command) return command.config;
  const { readConfigFile } = await import("../config/config_file.ts");
  return await readConfigFile(command.file.path, command.file.flags);
}

/** When to read the config again, and who is told how that went. */
export interface ConfigChangesOptions extends LooksOptions {
  /** Told of every look, and of files that are no config. */
  readonly journal: Journal;
}

/** Every config that the file becomes, until the signal is aborted. A file that is none is told, and passed over. */
export async function* configChanges(
  command: ServerCommand,
  { signal, hangups, journal }: ConfigChangesOptions,
): AsyncGenerator<ServerConfig> {
  if ("config" in command || signal.aborted) return;
  const { Looks } = await import("./looks.ts");
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
