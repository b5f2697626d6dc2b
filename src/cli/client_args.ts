/**
 * The words behind `outlet client`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig } from "../config/client_config.ts";
import { clientConfig } from "../config/client_rules.ts";
import { asFlag } from "../options/requirements.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { readFlags } from "./flags.ts";
import { readTarget } from "../endpoint/target.ts";

/**
 * Reads the words behind `outlet client`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readClient(args: readonly string[]): ClientConfig {
  const { values, operands, rest } = readFlags(args, {
    mode: "client",
    table: CLIENT_OPTIONS,
  });
  if (rest.length > 0) throw new UsageError(`${quote(rest[0]!)}: nothing is expected behind --`);
  return clientConfig(readTarget(operands), { values, label: asFlag });
}
