/**
 * What can be asked for, said once. An {@linkcode Option} tells its meaning, what it expects and how
 * the typed word becomes a value; flags, SPEC query keys, config keys, help and forms derive from it.
 *
 * @module
 */
import { about, quote, UsageError } from "./usage_error.ts";
import { type Bounds, type OptionKind, type PathUse, type Scalar, SWITCH } from "./kinds.ts";

/** One thing that can be asked for. `T` is the type of its value once it is read. */
export interface Option<T = unknown> {
  /** One line for help and forms. */
  readonly summary: string;
  /** What a valid word looks like, after "expected": `a port, 0 to 65535`. */
  readonly expects: string;
  /** What stands for the value in help, such as `SECONDS`. A switch has none. */
  readonly placeholder?: string;
  /** A one-letter flag that means the same. */
  readonly short?: string;
  /** The word that is meant when the flag is said without one. */
  readonly bare?: string;
  /** The value when nothing is said. */
  readonly default: T;
  /** How help writes the default, where the value alone would not read well. */
  readonly defaultText?: string;
  /** The only words that are valid, where they can be listed. */
  readonly choices?: readonly string[];
  /** Whether its value may hold a secret: errors don't repeat it then. */
  readonly secret?: boolean;
  /** The least and the most, where the value is a whole number. */
  readonly bounds?: Bounds;
  /** What a bare number counts, where the value is a quantity: `seconds`. */
  readonly unit?: string;
  /** What is done with the path that it names, where it names one. */
  readonly path?: PathUse;
  /** Options of the same table without one of which it has no effect. */
  readonly needs?: readonly string[];
  /** Options of the same table beside which it has no meaning. */
  readonly excludes?: readonly string[];
  /** Whether it may be said more than once; the values then add up to a list. */
  readonly repeats: boolean;
  /** Reads one word. Throws a {@linkcode UsageError} whose message is what was expected. */
  parse(word: string): T;
  /** Reads one item of a list, in which commas mean nothing; the same as {@linkcode parse} elsewhere. */
  parseItem(word: string): unknown;
  /** The value, or an item of a list, as a file says it: what `parseItem` reads to the same value. */
  write(value: unknown): Scalar;
}

/** Options by name, in the order in which help shows them. Names are kebab-case everywhere. */
export type OptionTable = Readonly<Record<string, Option>>;

/** The values that a table's options read to. */
export type OptionValues<T extends OptionTable> = {
  readonly [Name in keyof T]: T[Name] extends Option<infer Value> ? Value : never;
};

/** The table whose values are these: the other way round, for tables that are part of the public interface. */
export type TableOf<Values> = { readonly [Name in keyof Values]: Option<Values[Name]> };

/** The values of a whole table: what was said, and the defaults for the rest. */
export function valuesOf<T extends OptionTable>(
  table: T,
  said: ReadonlyMap<string, unknown>,
): OptionValues<T> {
  const entries = Object.entries(table).map(([name, option]) => [
    name,
    said.has(name) ? said.get(name) : option.default,
  ]);
  return Object.fromEntries(entries) as OptionValues<T>;
}

/** What the author of an option may add to its summary. */
export interface OptionDetails<T> {
  /** The value when nothing is said; without it, `undefined`. */
  readonly default?: T;
  /** How help writes the default. */
  readonly defaultText?: string;
  /** What stands for the value in help. */
  readonly placeholder?: string;
  /** A one-letter flag that means the same. */
  readonly short?: string;
  /** The word that is meant when the flag is said without one. */
  readonly bare?: string;
  /** Whether its value may hold a secret. */
  readonly secret?: boolean;
  /** Options without one of which it has no effect. */
  readonly needs?: readonly string[];
  /** Options beside which it has no meaning. */
  readonly excludes?: readonly string[];
}

/** `T`, or `T | undefined` for an option without a default. */
export type Optional<T, D> = D extends { default: T } ? T : T | undefined;

/** An option of the given kind. The named kinds below are all made by it. */
export function option<T, const D extends OptionDetails<T> = OptionDetails<T>>(
  kind: OptionKind<T>,
  summary: string,
  details?: D,
): Option<Optional<T, D>> {
  return {
    ...factsOf(kind),
    summary,
    repeats: false,
    ...details,
    default: details?.default as Optional<T, D>,
    parse: (word) => read(kind, word) as Optional<T, D>,
  };
}

/** An option that may be said more than once, or once with commas; its value is a list. */
export function list<T>(
  kind: OptionKind<T>,
  summary: string,
  details: Omit<OptionDetails<readonly T[]>, "default"> = {},
): Option<readonly T[]> {
  return {
    ...factsOf(kind),
    summary,
    repeats: true,
    ...details,
    default: [],
    parse: (word) => word.split(",").map((part) => readPart(kind, { part, word })),
  };
}

/** An option that may be said more than once; each word is kept whole, its commas too. */
export function words<T>(
  kind: OptionKind<T>,
  summary: string,
  details: Omit<OptionDetails<readonly T[]>, "default"> = {},
): Option<readonly T[]> {
  return { ...list(kind, summary, details), parse: (word) => [read(kind, word)] };
}

/** A switch: present or absent; `--no-NAME` and `NAME=false` turn off what is on by default. */
export function flag(summary: string, details: OptionDetails<boolean> = {}): Option<boolean> {
  const { placeholder: _, ...facts } = factsOf(SWITCH);
  return {
    ...facts,
    summary,
    repeats: false,
    ...details,
    default: details.default ?? false,
    parse: (word) => read(SWITCH, word),
  };
}

/** What an option has from its kind. */
function factsOf<T>(
  kind: OptionKind<T>,
): Pick<Option, "expects" | "choices" | "bounds" | "unit" | "path" | "parseItem" | "write"> & {
  placeholder: string;
} {
  const { expects, placeholder, choices, bounds, unit, path } = kind;
  return {
    expects,
    placeholder,
    ...(choices ? { choices } : {}),
    ...(bounds ? { bounds } : {}),
    ...(unit ? { unit } : {}),
    ...(path ? { path } : {}),
    parseItem: (word) => read(kind, word),
    write: (value) => kind.write?.(value as T) ?? value as Scalar,
  };
}

/** Reads one of several words with commas between; an error names the one at fault. */
function readPart<T>(kind: OptionKind<T>, { part, word }: { part: string; word: string }): T {
  try {
    return read(kind, part);
  } catch (error) {
    throw part === word ? error : about(quote(part), error);
  }
}

function read<T>(kind: OptionKind<T>, word: string): T {
  const value = kind.read(word);
  if (value === undefined) throw new UsageError(`expected ${kind.expects}`);
  return value;
}
