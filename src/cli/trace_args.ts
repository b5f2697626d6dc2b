/**
 * The words behind `outlet trace`.
 *
 * @module
 */
import { TRACE_OPTIONS, type TraceConfig, type TraceOptions } from "../config/trace_config.ts";
import { PORT, valuesOf } from "../options/option.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { readFlags } from "./flags.ts";

/**
 * Reads the words behind `outlet trace`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readTrace(words: readonly string[]): TraceConfig {
  const { values: said, operands, rest } = readFlags(words, TRACE_OPTIONS);
  const options = valuesOf(TRACE_OPTIONS, said);
  const [surplus] = [...options.sockets ? operands.slice(1) : operands, ...rest];
  if (surplus !== undefined) {
    const hint = /^\d+$/.test(surplus) ? "; did you mean --port?" : "";
    throw new UsageError(`${quote(surplus)}: nothing is expected here${hint}`);
  }
  refuseContradictions(options, new Set(said.keys()));
  return { options: { ...options, port: [...options.port, ...operands.map(readPort)] } };
}

function refuseContradictions(options: TraceOptions, said: ReadonlySet<string>): void {
  const pairs: (readonly [string, string])[] = [["read", "interface"], ["json", "summary"]];
  const others = ["read", "interface", "json", "summary", "count", "svg", "relative", "flows"];
  if (options.sockets) pairs.push(...[...others, "host"].map((name) => ["sockets", name] as const));
  for (const [one, other] of pairs) {
    if (said.has(one) && said.has(other)) {
      throw new UsageError(`--${one} and --${other} exclude each other`);
    }
  }
}

function readPort(word: string): number {
  const port = PORT.read(word);
  if (port === undefined) throw new UsageError(`${quote(word)}: expected ${PORT.expects}`);
  return port;
}
