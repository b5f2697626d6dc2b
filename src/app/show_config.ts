/**
 * `outlet server --check` and `--print-config`.
 *
 * @module
 */
import type { ServerCommand } from "../cli/server_args.ts";
import { CONSOLE_ADDRESS } from "../config/console_options.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { writeConfig } from "../config/write_config.ts";
import { loadConfig, loadUnchecked } from "./config_changes.ts";

/** Adds the default console to a config without outlets of its own, because a file always names its outlets. */
function withConsole(command: ServerCommand, config: ServerConfig): ServerConfig {
  const isDefault = "namesOutlets" in command && !command.namesOutlets;
  if (!isDefault || config.options.console !== undefined) return config;
  return { ...config, options: { ...config.options, console: CONSOLE_ADDRESS } };
}

/**
 * The text to print: the config as a file, or a line that says that it is valid.
 *
 * @throws {Error} which says what is wrong with it
 */
export async function showConfig(command: ServerCommand): Promise<string> {
  if (command.action === "print-config") {
    return writeConfig(withConsole(command, await loadUnchecked(command)));
  }
  const config = await loadConfig(command);
  const { length } = config.outlets;
  return `the config is valid: ${length === 1 ? "1 outlet" : `${length} outlets`}\n`;
}
