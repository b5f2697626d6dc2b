/**
 * Parses the arguments of `outlet client`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig } from "../config/client_config.ts";
import { clientConfig } from "../config/client_rules.ts";
import { asFlag } from "../options/requirements.ts";
import { quote, UsageError } from "../options/usage_error.ts";
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
  if (rest.length > 0) throw new UsageError(`${quote(rest[0]!)}: nothing may follow --`);
  return clientConfig(parseTarget(operands), { values, label: asFlag });
}
