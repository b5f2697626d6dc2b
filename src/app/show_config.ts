/**
 * `outlet server --check` and `--print-config`: what was asked for, without doing it.
 *
 * @module
 */
import type { ServerCommand } from "../cli/server_args.ts";
import { writeConfig } from "../config/write_config.ts";
import { loadConfig, readConfig } from "./config_changes.ts";

/**
 * What is to be printed: the config as a file, or a line that says that it is valid.
 *
 * @throws {Error} which names what is wrong with it
 */
export async function showConfig(command: ServerCommand): Promise<string> {
  if (command.action === "print-config") return writeConfig(await readConfig(command));
  const config = await loadConfig(command);
  const { length } = config.outlets;
  return `the config is valid: ${length === 1 ? "1 outlet" : `${length} outlets`}\n`;
}
