/**
 * Words on a command line, read by a table of options.
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { Option, OptionTable } from "../options/option.ts";
import { about, quote, unknownWord, UsageError } from "../options/usage_error.ts";

/** What a command line says. */
export interface Flags {
  /** The options that were said, by name, as they read; those that were not said are absent. */
  readonly said: ReadonlyMap<string, unknown>;
  /** The words that are no options, in order. */
  readonly operands: readonly string[];
  /** Everything after `--`. */
  readonly rest: readonly string[];
}

/**
 * Reads words by a table: `--port 80`, `--port=80`, `-p 80`, `-p80`, `--crlf`, `--no-crlf`.
 *
 * @throws {UsageError} which names the word at fault, what was expected, and the nearest right one
 */
export function readFlags(words: readonly string[], table: OptionTable): Flags {
  const { tokens } = parseArgs({
    args: withBareWords(words, table),
    options: grammarOf(table),
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const said = new Map<string, unknown>();
  const operands: string[] = [];
  const end = tokens.find((token) => token.kind === "option-terminator")?.index ?? words.length;
  for (const token of tokens) {
    if (token.index >= end) break;
    if (token.kind === "positional") operands.push(token.value);
    else if (token.kind === "option") readFlag(token, { table, said });
  }
  return { said, operands, rest: words.slice(end + 1) };
}

/** A flag that may stand alone, and does, gets the word that it then means; a SPEC is no such word. */
function withBareWords(words: readonly string[], table: OptionTable): string[] {
  return words.map((word, at) => {
    const name = word.startsWith("--") ? word.slice(2) : "";
    const bare = Object.hasOwn(table, name) ? table[name]!.bare : undefined;
    const next = words[at + 1] ?? "-";
    const standsAlone = next.startsWith("-") || next.includes("://");
    return bare !== undefined && standsAlone ? `${word}=${bare}` : word;
  });
}

interface FlagToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readFlag(
  { name: word, rawName, value, inlineValue }: FlagToken,
  { table, said }: { table: OptionTable; said: Map<string, unknown> },
): void {
  const negated = word.startsWith("no-") && !(word in table) ? word.slice(3) : undefined;
  const name = negated ?? word;
  const option = Object.hasOwn(table, name) ? table[name]! : undefined;
  if (!option || (negated && !isSwitch(option))) {
    throw unknownWord("option", rawName, Object.keys(table).map((known) => `--${known}`));
  }
  if (negated) return addWord({ name, option, word: "false", label: rawName }, said);
  const nothingFollows = value === undefined || (!inlineValue && value.startsWith("--"));
  if (nothingFollows && !isSwitch(option)) {
    throw new UsageError(`${rawName}: expected ${option.expects}, and nothing follows it`);
  }
  addWord({ name, option, word: value ?? "true", label: rawName }, said);
}

/** Reads one word for an option and keeps it; a repeated option adds up, any other must be said once. */
export function addWord(
  { name, option, word, label }: { name: string; option: Option; word: string; label: string },
  said: Map<string, unknown>,
): void {
  if (said.has(name) && !option.repeats) throw new UsageError(`${label} was given twice`);
  let value: unknown;
  try {
    value = option.parse(word);
  } catch (error) {
    throw about(option.secret ? label : `${label} ${quote(word)}`, error);
  }
  const before = option.repeats ? (said.get(name) as unknown[] | undefined) ?? [] : undefined;
  said.set(name, before ? [...before, ...(value as unknown[])] : value);
}

function isSwitch(option: Option): boolean {
  return option.placeholder === undefined;
}

function grammarOf(
  table: OptionTable,
): Record<string, { type: "string" | "boolean"; short?: string }> {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [name, {
      type: isSwitch(option) ? "boolean" : "string",
      ...(option.short ? { short: option.short } : {}),
    }]),
  );
}
