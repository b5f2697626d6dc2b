/**
 * Option tables: flags, SPEC query keys, config keys, help and forms all derive from {@linkcode Option}s.
 *
 * @module
 */
import { quote, UsageError, withSubject } from "./usage_error.ts";
import { type Bounds, type OptionKind, type PathUse, type Scalar, SWITCH } from "./kinds.ts";

/** An option whose parsed value is a `T`. */
export interface Option<T = unknown> {
  /** One line for help and forms. */
  readonly summary: string;
  /** What a valid value looks like, for errors: `a port, 0 to 65535`. */
  readonly expects: string;
  /** What stands for the value in help, such as `SECONDS`. Absent for a boolean. */
  readonly placeholder?: string;
  /** The one-letter flag. */
  readonly short?: string;
  /** The value of a flag that is given without one. */
  readonly bare?: string;
  /** The value where the option is not given. */
  readonly default: T;
  /** The default as help shows it, where that differs from the value. */
  readonly defaultText?: string;
  /** All valid values, where they can be listed. */
  readonly choices?: readonly string[];
  /** Whether the value may contain a secret, which errors must not repeat. */
  readonly secret?: boolean;
  /** The valid range of an integer. */
  readonly bounds?: Bounds;
  /** The unit of a bare number: `seconds`. */
  readonly unit?: string;
  /** How the path is used, where the value is one. */
  readonly path?: PathUse;
  /** Options of the same table of which at least one is required with it. */
  readonly needs?: readonly string[];
  /** Options of the same table that cannot be combined with it. */
  readonly excludes?: readonly string[];
  /** Whether it may be given more than once; the values form a list. */
  readonly repeats: boolean;
  /** Parses an argument. Throws a {@linkcode UsageError} that says what was expected. */
  parse(word: string): T;
  /** Parses one item of a list, without splitting it at commas; otherwise the same as {@linkcode parse}. */
  parseItem(word: string): unknown;
  /** Formats the value, or an item of a list, for a config file, so that `parseItem` parses it to the same. */
  write(value: unknown): Scalar;
}

/** Options by name in kebab-case, in the order of help. */
export type OptionTable = Readonly<Record<string, Option>>;

/** The values of a table's options. */
export type OptionValues<T extends OptionTable> = {
  readonly [Name in keyof T]: T[Name] extends Option<infer Value> ? Value : never;
};

/** The table whose values are `Values`; for tables that are part of the public interface. */
export type TableOf<Values> = { readonly [Name in keyof Values]: Option<Values[Name]> };

/** The given values, with the defaults for the others. */
export function valuesOf<T extends OptionTable>(
  table: T,
  given: ReadonlyMap<string, unknown>,
): OptionValues<T> {
  const entries = Object.entries(table).map(([name, option]) => [
    name,
    given.has(name) ? given.get(name) : option.default,
  ]);
  return Object.fromEntries(entries) as OptionValues<T>;
}

/** The optional properties of an option. Without `default`, its value is `undefined` where it is not given. */
export type OptionDetails<T> = Partial<
  Pick<
    Option<T>,
    "default" | "defaultText" | "placeholder" | "short" | "bare" | "secret" | "needs" | "excludes"
  >
>;

/** `T`, or `T | undefined` for an option without a default. */
export type Optional<T, D> = D extends { default: T } ? T : T | undefined;

/** An option with one value of the given kind. */
export function option<T, const D extends OptionDetails<T> = OptionDetails<T>>(
  kind: OptionKind<T>,
  summary: string,
  details?: D,
): Option<Optional<T, D>> {
  return {
    ...kindProperties(kind),
    summary,
    repeats: false,
    ...details,
    default: details?.default as Optional<T, D>,
    parse: (word) => read(kind, word) as Optional<T, D>,
  };
}

/** An option whose value is a list: given more than once, or once with commas. */
export function list<T>(
  kind: OptionKind<T>,
  summary: string,
  details: Omit<OptionDetails<readonly T[]>, "default"> = {},
): Option<readonly T[]> {
  return {
    ...kindProperties(kind),
    summary,
    repeats: true,
    ...details,
    default: [],
    parse: (word) => word.split(",").map((part) => parsePart(kind, { part, word })),
  };
}

/** A list option that may be given more than once and is not split at commas. */
export function repeatable<T>(
  kind: OptionKind<T>,
  summary: string,
  details: Omit<OptionDetails<readonly T[]>, "default"> = {},
): Option<readonly T[]> {
  return { ...list(kind, summary, details), parse: (word) => [read(kind, word)] };
}

/** A boolean option; `--no-NAME` and `NAME=false` turn off what is on by default. */
export function flag(summary: string, details: OptionDetails<boolean> = {}): Option<boolean> {
  const { placeholder: _, ...facts } = kindProperties(SWITCH);
  return {
    ...facts,
    summary,
    repeats: false,
    ...details,
    default: details.default ?? false,
    parse: (word) => read(SWITCH, word),
  };
}

function kindProperties<T>(
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

/** Parses one item of a comma-separated list; an error names the item. */
function parsePart<T>(kind: OptionKind<T>, { part, word }: { part: string; word: string }): T {
  try {
    return read(kind, part);
  } catch (error) {
    throw part === word ? error : withSubject(quote(part), error);
  }
}

function read<T>(kind: OptionKind<T>, word: string): T {
  const value = kind.parse(word);
  if (value === undefined) throw new UsageError(`expected ${kind.expects}`);
  return value;
}
