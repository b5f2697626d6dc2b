/**
 * Parses the arguments of `outlet client`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig } from "../config/client_config.ts";
import { clientConfig } from "../config/client_rules.ts";
import { asFlag } from "../options/requirements.ts";
import { parseFlags } from "./flags.ts";
import { parseTarget } from "../endpoint/target.ts";

/**
 * Parses the arguments of `outlet client`.
 *
 * @throws {UsageError} which names the argument at fault
 */
export function parseClientArgs(args: readonly string[]): ClientConfig {
  const { values, operands, rest } = parseFlags(args, {
    mode: "client",
    table: CLIENT_OPTIONS,
  });
  const all = rest.length > 0 ? new Map([...values, ["command", rest] as const]) : values;
  return clientConfig(parseTarget(operands), { values: all, label: asFlag });
}
