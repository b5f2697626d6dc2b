/**
 * What a person typed cannot be done as typed: exit code 2, and one line that says what was
 * expected and, where one is near, what was probably meant.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** What was typed is at fault, not the machine or the network. Its message is shown as it stands. */
export class UsageError extends Error {
  /** Tells it from faults of the system. */
  override readonly name = "UsageError";
  /** The option at fault, where it is one. */
  readonly option: string | undefined;

  /** An error about the option, where one is named. */
  constructor(message: string, { option }: { option?: string | undefined } = {}) {
    super(message);
    this.option = option;
  }
}

/** What there is instead of an unknown word. */
export interface Known {
  /** What it is: `service`. */
  readonly noun: string;
  /** The words that there are. */
  readonly words: readonly string[];
  /** Where they are listed, where they are too many for a line: `see outlet server --help`. */
  readonly see?: string;
}

/** The most words that are listed in an error. */
const LISTED = 20;

/** `unknown service "ecko": did you mean "echo"?`, or the list where nothing is near. */
export function unknownWord(word: string, { noun, words, see }: Known): UsageError {
  const nearest = nearestWord(word, words);
  const list = words.length > LISTED && see ? see : `expected one of ${words.join(", ")}`;
  const hint = nearest === undefined
    ? (words.length === 0 ? "there are none" : list)
    : `did you mean ${quote(nearest)}?`;
  return new UsageError(`unknown ${noun} ${quote(word)}: ${hint}`);
}

/** The same error, with what it is about in front: `--port "80x": expected a port, 0 to 65535`. */
export function about(subject: string, error: unknown): unknown {
  if (!(error instanceof UsageError)) return error;
  return new UsageError(`${subject}: ${error.message}`, { option: error.option });
}

/** A typed word as it stands in an error: quoted, and cut where it is very long. */
export function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? word.slice(0, 79) + "…" : word);
}

function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word.length > 40) return undefined;
  const nearest = closestString(word, [...known]);
  const allowed = Math.max(1, Math.floor(Math.max(word.length, nearest.length) / 3));
  return levenshteinDistance(word, nearest) <= allowed ? nearest : undefined;
}
