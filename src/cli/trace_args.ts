/**
 * Parses the arguments of `outlet trace`.
 *
 * @module
 */
import { TRACE_OPTIONS, type TraceConfig } from "../config/trace_config.ts";
import { PORT } from "../options/kinds.ts";
import { valuesOf } from "../options/option.ts";
import { asFlag, checkRequirements } from "../options/requirements.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { parseFlags } from "./flags.ts";

/**
 * Parses the arguments of `outlet trace`.
 *
 * @throws {UsageError} which names the argument at fault
 */
export function parseTraceArgs(args: readonly string[]): TraceConfig {
  const { values, operands, rest } = parseFlags(args, { mode: "trace", table: TRACE_OPTIONS });
  const options = valuesOf(TRACE_OPTIONS, values);
  const [extra] = [...options.sockets ? operands.slice(1) : operands, ...rest];
  if (extra !== undefined) {
    const hint = /^\d+$/.test(extra) ? "; did you mean --port?" : "";
    throw new UsageError(`${quote(extra)}: unexpected argument${hint}`);
  }
  checkRequirements(values.keys(), { table: TRACE_OPTIONS, values: { ...options }, label: asFlag });
  return { options: { ...options, port: [...options.port, ...operands.map(parsePort)] } };
}

function parsePort(word: string): number {
  const port = PORT.parse(word);
  if (port === undefined) throw new UsageError(`${quote(word)}: expected ${PORT.expects}`);
  return port;
}
