/**
 * Words on a command line, read by a table of options.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
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

/** What options are read by. */
export interface Grammar {
  /** The mode, for hints. */
  readonly mode: ModeName;
  /** The options that there are. */
  readonly table: OptionTable;
}

/**
 * Reads words by a table: `--port 80`, `--port=80`, `-p 80`, `-p80`, `--crlf`, `--no-crlf`. `parseArgs` knows neither
 * clusters with a value nor options that may stand alone, and takes what is unknown or missing for something: so
 * each option is spelled out for it as `--name=value`, or refused.
 *
 * @throws {UsageError} which names the word at fault, what was expected, and the nearest right one
 */
export function readFlags(args: readonly string[], grammar: Grammar): Flags {
  const labels = new Map<string, string[]>();
  const names = Object.keys(grammar.table);
  const { _: operands, "--": rest = [], ...found } = parseArgs(
    spellOut(args, { grammar, labels }),
    {
      string: ["_", ...names],
      collect: names,
      "--": true,
    },
  );
  const values = new Map<string, unknown>();
  for (const [name, said] of labels) {
    const words = found[name] as string[];
    for (const [at, label] of said.entries()) {
      addWord({ name, option: grammar.table[name]!, word: words[at]!, label }, values);
    }
  }
  return { values, operands: operands.map(String), rest };
}

/** The same words, each option as `--name=value`; `labels` gets how each of them was written, by name. */
function spellOut(
  args: readonly string[],
  { grammar, labels }: { grammar: Grammar; labels: Map<string, string[]> },
): string[] {
  const plain: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") return [...plain, ...args.slice(at)];
    if (!arg.startsWith("-") || arg === "-") {
      plain.push(arg);
      continue;
    }
    for (const flag of flagsIn(arg, grammar.table)) {
      const { name, value, takesNext } = complete(flag, { next: args[at + 1], grammar });
      plain.push(`--${name}=${value}`);
      labels.set(name, [...labels.get(name) ?? [], flag.label]);
      if (takesNext) at++;
    }
  }
  return plain;
}

/** An option as it was written. */
interface Flag {
  /** How it was written: `-p`. */
  readonly label: string;
  /** Its name, or what looks like one: `port`, `no-crlf`. */
  readonly name: string;
  /** The value that it was written with, in the same word. */
  readonly value?: string;
}

/** The options in one word: `--port=80`; or letters, the last of which may be followed by its value: `-vp80`. */
function* flagsIn(arg: string, table: OptionTable): Generator<Flag> {
  if (arg.startsWith("--")) {
    const [, label = arg, value] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    yield { label, name: label.slice(2), ...value === undefined ? {} : { value } };
    return;
  }
  for (const [at, letter] of Array.from(arg).entries()) {
    if (at === 0) continue;
    const name = Object.keys(table).find((name) => table[name]!.short === letter) ?? letter;
    const option = Object.hasOwn(table, name) ? table[name]! : undefined;
    const value = option && !isSwitch(option) ? Array.from(arg).slice(at + 1).join("") : "";
    yield { label: `-${letter}`, name, ...value === "" ? {} : { value } };
    if (value !== "") return;
  }
}

/** The option's name and its value, which may be the next word. */
function complete(
  { label, name: written, value }: Flag,
  { next, grammar }: { next: string | undefined; grammar: Grammar },
): { name: string; value: string; takesNext?: boolean } {
  const { table } = grammar;
  const isNegated = written.startsWith("no-") && !Object.hasOwn(table, written);
  const name = isNegated ? written.slice(3) : written;
  const option = Object.hasOwn(table, name) ? table[name]! : undefined;
  if (!option || (isNegated && (!isSwitch(option) || value !== undefined))) {
    throw unknownOption(label, grammar);
  }
  if (value !== undefined) return { name, value };
  if (isSwitch(option)) return { name, value: String(!isNegated) };
  if (option.bare !== undefined && isNoValue(next)) return { name, value: option.bare };
  if (next === undefined || next.startsWith("--")) {
    throw new UsageError(`${label}: expected ${option.expects}, and nothing follows it`);
  }
  return { name, value: next, takesNext: true };
}

function unknownOption(label: string, { mode, table }: Grammar): UsageError {
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
