/**
 * Parses command-line flags by a table of options.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { addValue } from "../options/add_value.ts";
import type { Option, OptionTable } from "../options/option.ts";
import { asFlag } from "../options/requirements.ts";
import { unknownName, UsageError } from "../options/usage_error.ts";
import type { ModeName } from "./modes.ts";
import { replacementFor } from "./netcat_flags.ts";

/** A parsed command line. */
export interface Flags {
  /** The values of the options that were given, by name. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The arguments that are not options, in order. */
  readonly operands: readonly string[];
  /** The arguments after `--`. */
  readonly rest: readonly string[];
}

/** Which options are valid. */
export interface Grammar {
  /** The mode, for hints in errors. */
  readonly mode: ModeName;
  /** The options. */
  readonly table: OptionTable;
}

/**
 * Parses `--port 80`, `--port=80`, `-p 80`, `-p80`, `--crlf`, `--no-crlf`.
 *
 * `parseArgs` reads `-vp80` as v="p80", has no options with an optional value, and accepts unknown options and
 * missing values. So each option is rewritten to `--name=value`, or refused, before `parseArgs` gets it.
 *
 * @throws {UsageError} which names the argument, what was expected, and the closest valid one
 */
export function parseFlags(args: readonly string[], grammar: Grammar): Flags {
  const labels = new Map<string, string[]>();
  const names = Object.keys(grammar.table);
  const { _: operands, "--": rest = [], ...found } = parseArgs(
    normalize(args, { grammar, labels }),
    {
      string: ["_", ...names],
      collect: names,
      "--": true,
    },
  );
  const values = new Map<string, unknown>();
  for (const [name, written] of labels) {
    const texts = found[name] as string[];
    for (const [at, label] of written.entries()) {
      addValue({ name, option: grammar.table[name]!, word: texts[at]!, label }, values);
    }
  }
  return { values, operands: operands.map(String), rest };
}

/** Rewrites each option to `--name=value`; adds how it was written to `labels`, by name. */
function normalize(
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
      const { name, value, takesNext } = resolveFlag(flag, { next: args[at + 1], grammar });
      plain.push(`--${name}=${value}`);
      labels.set(name, [...labels.get(name) ?? [], flag.label]);
      if (takesNext) at++;
    }
  }
  return plain;
}

/** An option as written. */
interface Flag {
  /** The flag alone: `-p`. */
  readonly label: string;
  /** The long name: `port`, `no-crlf`. */
  readonly name: string;
  /** The value in the same argument. */
  readonly value?: string;
}

/** The options in one argument: `--port=80`, or letters, of which the last may have a value: `-vp80`. */
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

/** Finds the option's name and value; the value may be the next argument. */
function resolveFlag(
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
  const instead = replacementFor(label, mode);
  if (instead !== undefined) return new UsageError(`outlet ${mode} has no ${label}: ${instead}`);
  const choices = Object.keys(table).map(asFlag);
  return unknownName(label, { noun: "option", choices, see: `see outlet ${mode} --help` });
}

/** Whether the argument after an option with an optional value is not that value but an option or a SPEC. */
function isNoValue(next = "-"): boolean {
  return next.startsWith("-") || next.includes("://");
}

function isSwitch(option: Option): boolean {
  return option.placeholder === undefined;
}
