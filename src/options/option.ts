/**
 * What can be asked for, said once. An {@linkcode Option} tells its meaning, what it expects and how
 * the typed word becomes a value; flags, SPEC query keys, config keys, help and forms derive from it.
 *
 * @module
 */
import { about, quote, UsageError } from "./usage_error.ts";
import { parseDuration, parseSize, writeDuration } from "./quantity.ts";

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

/**
 * What is done with a path: a file is read, appended to, or read if it is there and made if it is not; a folder is
 * worked in, gets files, or is made; a program is run.
 */
export type PathUse =
  | "read"
  | "append"
  | "read-or-make"
  | "work-in"
  | "write-in"
  | "make"
  | "run";

/** What a file can say of an option, or of one item of its list. */
export type Scalar = string | number | boolean;

/** Two bounds, both included. */
export interface Bounds {
  /** The least. */
  readonly min: number;
  /** The most. */
  readonly max: number;
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

/** What makes a new kind of option: how a word is read, and how to say what was expected. */
export interface OptionKind<T> {
  /** What a valid word looks like. */
  readonly expects: string;
  /** The placeholder that options of this kind have unless they name their own. */
  readonly placeholder: string;
  /** The only words that are valid. */
  readonly choices?: readonly string[];
  /** The least and the most, where it is a whole number. */
  readonly bounds?: Bounds;
  /** What a bare number counts, where it is a quantity. */
  readonly unit?: string;
  /** What is done with the path, where it is one. */
  readonly path?: PathUse;
  /** The value in a form that `read` reads to the same; without it, the value itself. */
  write?(value: T): Scalar;
  /** Reads one word; `undefined` where it is not valid. May throw a UsageError that says more. */
  read(word: string): T | undefined;
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

/** Any text that is not empty. */
export const TEXT: OptionKind<string> = {
  expects: "some text",
  placeholder: "TEXT",
  read: (word) => word === "" ? undefined : word,
};

/** A file, by its path. */
export function file(use: PathUse): OptionKind<string> {
  return { ...TEXT, expects: "a file", placeholder: "FILE", path: use };
}

/** A folder, by its path. */
export function folder(use: PathUse): OptionKind<string> {
  return { ...TEXT, expects: "a folder", placeholder: "FOLDER", path: use };
}

/** A length of time in milliseconds: `500ms`, `30s`, `5m`, `2h`; a bare number is seconds. */
export const DURATION: OptionKind<number> = {
  expects: "a duration such as 500ms, 30s, 5m or 2h",
  placeholder: "DURATION",
  unit: "seconds",
  write: writeDuration,
  read: parseDuration,
};

/** A number of bytes: `4096`, `64k`, `16M`, `1G`, counted in 1024s. */
export const SIZE: OptionKind<number> = {
  expects: "a size such as 4096, 64k, 16M or 1G",
  placeholder: "SIZE",
  unit: "bytes",
  read: parseSize,
};

/** A TCP port; 0 stands for any free one. */
export const PORT: OptionKind<number> = integer({ min: 0, max: 65535, noun: "a port" });

const SWITCH: OptionKind<boolean> = {
  expects: "true or false",
  placeholder: "",
  read: (word) => SWITCH_WORDS.get(word.toLowerCase()),
};

const SWITCH_WORDS = new Map([
  ["", true],
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

/** A whole number in plain decimal digits between two bounds, both included. */
export function integer(
  { min, max, noun = "a whole number" }: { min: number; max: number; noun?: string },
): OptionKind<number> {
  return {
    expects: max === Number.MAX_SAFE_INTEGER
      ? `${noun}, ${min} or more`
      : `${noun}, ${min} to ${max}`,
    placeholder: "N",
    bounds: { min, max },
    read(word) {
      const number = /^\d{1,15}$/.test(word) ? Number(word) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** One word out of a few. */
export function choice<const Word extends string>(words: readonly Word[]): OptionKind<Word> {
  return {
    expects: `one of ${words.join(", ")}`,
    placeholder: words.join("|"),
    choices: words,
    read: (word) => words.find((candidate) => candidate === word),
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
