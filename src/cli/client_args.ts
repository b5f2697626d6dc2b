/**
 * The words behind `outlet client`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig, type ClientOptions } from "../config/client_config.ts";
import { LOAD_OPTIONS, PROBE_OPTIONS } from "../config/measure_options.ts";
import { TLS_CLIENT_OPTIONS } from "../config/tls_client_options.ts";
import { type OptionTable, valuesOf } from "../options/option.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { readFlags } from "./flags.ts";
import { readTarget } from "../endpoint/target.ts";

/** Options that mean nothing without another one, which they are told to need. */
const NEEDS: readonly (readonly [need: keyof ClientOptions, flag: string, table: OptionTable])[] = [
  ["probe", "-z", PROBE_OPTIONS],
  ["bench", "--bench", LOAD_OPTIONS],
  ["tls", "--tls, or tls:// in front of the host", TLS_CLIENT_OPTIONS],
];

/** Options of which a client can be asked one. */
const EXCLUSIVE: readonly (readonly (keyof ClientOptions)[])[] = [
  ["send-only", "recv-only"],
  ["probe", "bench", "script"],
  ["probe", "trace"],
  ["bench", "trace"],
];

/**
 * Reads the words behind `outlet client`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readClient(words: readonly string[]): ClientConfig {
  const { values: said, operands, rest } = readFlags(words, CLIENT_OPTIONS);
  if (rest.length > 0) throw new UsageError(`${quote(rest[0]!)}: nothing is expected behind --`);
  const { targets, tls } = readTarget(operands);
  const options = valuesOf(CLIENT_OPTIONS, tls ? new Map([...said, ["tls", true]]) : said);
  for (const names of EXCLUSIVE) {
    const [one, other] = names.filter((name) => options[name]);
    if (other) throw new UsageError(`--${one} and --${other} exclude each other`);
  }
  for (const [need, flag, table] of NEEDS) {
    const orphan = Object.keys(table).find((name) => name !== need && said.has(name));
    if (orphan && !options[need]) throw new UsageError(`--${orphan} needs ${flag}`);
  }
  if (targets.length > 1 && !options.probe) {
    throw new UsageError("several ports can only be probed: add -z, or name one port");
  }
  if (options["tls-key"] && !options["tls-cert"]) {
    throw new UsageError("--tls-key needs --tls-cert: a key without its certificate is of no use");
  }
  return { targets, options };
}
