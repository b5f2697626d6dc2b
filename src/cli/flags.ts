/**
 * Words on a command line, read by a table of options.
 *
 * @module
 */
import { addWord } from "../options/read_word.ts";
import type { Option, OptionTable } from "../options/option.ts";
import { asFlag } from "../options/requirements.ts";
import { unknownWord, UsageError } from "../options/usage_error.ts";
import type { ModeName } from "./modes.ts";
import { insteadOf } from "./netcat_flags.ts";

/** What a command line says. */
export interface Flags {
  /** The options that were said, by name, as they read; those that were not said are absent. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The words that are no options, in order. */
  readonly operands: readonly string[];
  /** Everything after `--`. */
  readonly rest: readonly string[];
}

/**
 * Reads words by a table: `--port 80`, `--port=80`, `-p 80`, `-p80`, `--crlf`, `--no-crlf`. It is read here, for
 * `parseArgs` of `node:util` brings a quarter of what a start takes, and knows no option that may stand alone.
 *
 * @throws {UsageError} which names the word at fault, what was expected, and the nearest right one
 */
export function readFlags(
  args: readonly string[],
  { mode, table }: { mode: ModeName; table: OptionTable },
): Flags {
  const values = new Map<string, unknown>();
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === "--") return { values, operands, rest: args.slice(at + 1) };
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    for (const flag of flagsIn(word, table)) {
      const took = readFlag(flag, { next: args[at + 1], mode, table, values });
      if (took === "next") at++;
    }
  }
  return { values, operands, rest: [] };
}

/** An option as it was said. */
interface Flag {
  /** How it was said: `-p`. */
  readonly label: string;
  /** Its name, or what looks like one: `port`, `no-crlf`. */
  readonly name: string;
  /** The value that it was said with, in the same word. */
  readonly value?: string;
}

/** The options in one word: `--port=80`; or letters, the last of which may be followed by its value: `-vp80`. */
function* flagsIn(word: string, table: OptionTable): Generator<Flag> {
  if (word.startsWith("--")) {
    const [, label = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    yield { label, name: label.slice(2), ...value === undefined ? {} : { value } };
    return;
  }
  for (const [at, letter] of Array.from(word).entries()) {
    if (at === 0) continue;
    const name = Object.keys(table).find((name) => table[name]!.short === letter) ?? letter;
    const option = Object.hasOwn(table, name) ? table[name]! : undefined;
    const value = option && !isSwitch(option) ? Array.from(word).slice(at + 1).join("") : "";
    yield { label: `-${letter}`, name, ...value === "" ? {} : { value } };
    if (value !== "") return;
  }
}

/** Reads one option, with its value; says whether that was the next word. */
function readFlag(
  { label, name: word, value }: Flag,
  { next, mode, table, values }: {
    next: string | undefined;
    mode: ModeName;
    table: OptionTable;
    values: Map<string, unknown>;
  },
): "next" | void {
  const negated = word.startsWith("no-") && !Object.hasOwn(table, word);
  const name = negated ? word.slice(3) : word;
  const option = Object.hasOwn(table, name) ? table[name]! : undefined;
  if (!option || (negated && (!isSwitch(option) || value !== undefined))) {
    throw unknownOption(label, { mode, table });
  }
  const add = (word: string) => addWord({ name, option, word, label }, values);
  if (value !== undefined) return add(value);
  if (isSwitch(option)) return add(negated ? "false" : "true");
  if (option.bare !== undefined && isNoValue(next)) return add(option.bare);
  if (next === undefined || next.startsWith("--")) {
    throw new UsageError(`${label}: expected ${option.expects}, and nothing follows it`);
  }
  add(next);
  return "next";
}

function unknownOption(
  label: string,
  { mode, table }: { mode: ModeName; table: OptionTable },
): UsageError {
  const instead = insteadOf(label, mode);
  if (instead !== undefined) return new UsageError(`outlet ${mode} has no ${label}: ${instead}`);
  const words = Object.keys(table).map(asFlag);
  return unknownWord(label, { noun: "option", words, see: `see outlet ${mode} --help` });
}

/** Whether what follows an option that may stand alone is not its value: it is another option, or a SPEC. */
function isNoValue(next = "-"): boolean {
  return next.startsWith("-") || next.includes("://");
}

function isSwitch(option: Option): boolean {
  return option.placeholder === undefined;
}
