/**
 * Reads one word that was said for an option.
 *
 * @module
 */
import type { Option } from "./option.ts";
import { about, quote, UsageError } from "./usage_error.ts";

/** Reads one word for an option and keeps it; a repeated option adds up, any other must be said once. */
export function addWord(
  { name, option, word, label }: { name: string; option: Option; word: string; label: string },
  values: Map<string, unknown>,
): void {
  if (values.has(name) && !option.repeats) throw new UsageError(`${label} was given twice`);
  let value: unknown;
  try {
    value = option.parse(word);
  } catch (error) {
    throw about(option.secret ? label : `${label} ${quote(word)}`, error);
  }
  const before = option.repeats ? (values.get(name) as unknown[] | undefined) ?? [] : undefined;
  values.set(name, before ? [...before, ...(value as unknown[])] : value);
}
