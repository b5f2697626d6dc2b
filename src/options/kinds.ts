/**
 * Kinds of option values: how each is parsed, and how errors and help describe it.
 *
 * @module
 */
import { parseDuration, parseSize, writeDuration } from "./quantity.ts";

/**
 * How an option uses the path that it names: `read-or-make` reads a file and creates it if missing; `work-in` is a
 * working directory; `append-or-stdout` appends to a file, and `-` is stdout; `write-in` creates files in an existing directory; `make` creates the directory.
 */
export type PathUse =
  | "read"
  | "append"
  | "append-or-stdout"
  | "read-or-make"
  | "work-in"
  | "write-in"
  | "make"
  | "run";

/** A value in a config file, or an item of a list there. */
export type Scalar = string | number | boolean;

/** An inclusive range. */
export interface Bounds {
  /** The smallest valid value. */
  readonly min: number;
  /** The largest valid value. */
  readonly max: number;
}

/** A kind of value: how it is parsed and described. */
export interface OptionKind<T> {
  /** What a valid value looks like, for errors: "expected …". */
  readonly expects: string;
  /** The default placeholder in help. */
  readonly placeholder: string;
  /** All valid values, where they can be listed. */
  readonly choices?: readonly string[];
  /** The valid range of an integer. */
  readonly bounds?: Bounds;
  /** The unit of a bare number. */
  readonly unit?: string;
  /** How the path is used, where the value is one. */
  readonly path?: PathUse;
  /** Formats a value so that `read` parses it to the same; by default the value itself. */
  write?(value: T): Scalar;
  /** Parses a value; `undefined` where it is not valid. May throw a UsageError with a better message. */
  parse(word: string): T | undefined;
}

/** Non-empty text. */
export const TEXT: OptionKind<string> = {
  expects: "some text",
  placeholder: "TEXT",
  parse: (word) => word === "" ? undefined : word,
};

/** A program or one of its arguments, which may be empty. */
export const WORD: OptionKind<string> = {
  expects: "text",
  placeholder: "WORD",
  path: "run",
  parse: (word) => word,
};

/** A path of a file. */
export function file(use: PathUse): OptionKind<string> {
  return { ...TEXT, expects: "a file", placeholder: "FILE", path: use };
}

/** A path of a directory. */
export function directory(use: PathUse): OptionKind<string> {
  return { ...TEXT, expects: "a directory", placeholder: "DIRECTORY", path: use };
}

/** A duration in milliseconds: `500ms`, `30s`, `5m`, `2h`; a bare number is seconds. */
export const DURATION: OptionKind<number> = {
  expects: "a duration such as 500ms, 30s, 5m or 2h",
  placeholder: "DURATION",
  unit: "seconds",
  write: writeDuration,
  parse: parseDuration,
};

/** A size in bytes: `4096`, `64k`, `16M`, `1G`, in multiples of 1024. */
export const SIZE: OptionKind<number> = {
  expects: "a size such as 4096, 64k, 16M or 1G",
  placeholder: "SIZE",
  unit: "bytes",
  parse: parseSize,
};

/** A TCP port; 0 lets the system choose a free one. */
export const PORT: OptionKind<number> = integer({ min: 0, max: 65535, noun: "a port" });

/** A boolean. */
export const SWITCH: OptionKind<boolean> = {
  expects: "true or false",
  placeholder: "",
  parse: (word) => SWITCH_VALUES.get(word.toLowerCase()),
};

const SWITCH_VALUES = new Map([
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

/** A decimal integer within the given range, inclusive. */
export function integer(
  { min, max, noun = "a whole number" }: { min: number; max: number; noun?: string },
): OptionKind<number> {
  return {
    expects: max === Number.MAX_SAFE_INTEGER
      ? `${noun}, ${min} or more`
      : `${noun}, ${min} to ${max}`,
    placeholder: "N",
    bounds: { min, max },
    parse(word) {
      const number = /^\d{1,15}$/.test(word) ? Number(word) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** A whole number from `min`, or `forever`, which is `Infinity`. */
export function times({ min }: { min: number }): OptionKind<number> {
  const number = integer({ min, max: 1_000_000_000 });
  return {
    expects: min === 0 ? "a whole number, or forever" : `${number.expects}, or forever`,
    placeholder: "N|forever",
    parse: (word) => word === "forever" ? Infinity : number.parse(word),
  };
}

/** One of the given words. */
export function choice<const Word extends string>(choices: readonly Word[]): OptionKind<Word> {
  return {
    expects: `one of ${choices.join(", ")}`,
    placeholder: choices.join("|"),
    choices,
    parse: (word) => choices.find((candidate) => candidate === word),
  };
}
