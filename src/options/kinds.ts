/**
 * Kinds of options: how a word is read, and how to say what was expected.
 *
 * @module
 */
import { parseDuration, parseSize, writeDuration } from "./quantity.ts";

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

/** On or off. */
export const SWITCH: OptionKind<boolean> = {
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
