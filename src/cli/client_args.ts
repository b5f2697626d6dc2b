/**
 * The words behind `outlet client`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig } from "../config/client_config.ts";
import { valuesOf } from "../options/option.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { readFlags } from "./flags.ts";
import { readTarget } from "./target.ts";

/**
 * Reads the words behind `outlet client`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readClient(words: readonly string[]): ClientConfig {
  const { said, operands, rest } = readFlags(words, CLIENT_OPTIONS);
  if (rest.length > 0) throw new UsageError(`${quote(rest[0]!)}: nothing is expected behind --`);
  const options = valuesOf(CLIENT_OPTIONS, said);
  if (options["send-only"] && options["recv-only"]) {
    throw new UsageError("--send-only and --recv-only exclude each other");
  }
  return { target: readTarget(operands), options };
}
