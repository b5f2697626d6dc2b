/**
 * Adds a parsed argument to the values of options.
 *
 * @module
 */
import type { Option } from "./option.ts";
import { quote, UsageError, withSubject } from "./usage_error.ts";

/** Parses an argument and adds its value. Throws where an option that does not repeat is given twice. */
export function addValue(
  { name, option, word, label }: { name: string; option: Option; word: string; label: string },
  values: Map<string, unknown>,
): void {
  if (values.has(name) && !option.repeats) throw new UsageError(`${label} was given twice`);
  let value: unknown;
  try {
    value = option.parse(word);
  } catch (error) {
    throw withSubject(option.secret ? label : `${label} ${quote(word)}`, error);
  }
  const before = option.repeats ? (values.get(name) as unknown[] | undefined) ?? [] : undefined;
  values.set(name, before ? [...before, ...(value as unknown[])] : value);
}
