/**
 * The words behind `outlet trace`.
 *
 * @module
 */
import { TRACE_OPTIONS, type TraceConfig } from "../config/trace_config.ts";
import { PORT } from "../options/kinds.ts";
import { valuesOf } from "../options/option.ts";
import { asFlag, refuseUseless } from "../options/requirements.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { readFlags } from "./flags.ts";

/**
 * Reads the words behind `outlet trace`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readTrace(args: readonly string[]): TraceConfig {
  const { values, operands, rest } = readFlags(args, { mode: "trace", table: TRACE_OPTIONS });
  const options = valuesOf(TRACE_OPTIONS, values);
  const [surplus] = [...options.sockets ? operands.slice(1) : operands, ...rest];
  if (surplus !== undefined) {
    const hint = /^\d+$/.test(surplus) ? "; did you mean --port?" : "";
    throw new UsageError(`${quote(surplus)}: nothing is expected here${hint}`);
  }
  refuseUseless(values.keys(), { table: TRACE_OPTIONS, values: { ...options }, label: asFlag });
  return { options: { ...options, port: [...options.port, ...operands.map(readPort)] } };
}

function readPort(word: string): number {
  const port = PORT.read(word);
  if (port === undefined) throw new UsageError(`${quote(word)}: expected ${PORT.expects}`);
  return port;
}
