/**
 * Errors in what the user asked for: one line, exit code 2.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/**
 * Wrong usage, as opposed to a fault of the system or the network: arguments, a config or a script that are wrong, or
 * that name a file, directory or program that cannot be used. Its message is shown unchanged.
 */
export class UsageError extends Error {
  /** Distinguishes it from other errors. */
  override readonly name = "UsageError";
  /** The name of the option at fault, if any. */
  readonly option: string | undefined;

  /** `option` is the name of the option at fault. */
  constructor(
    message: string,
    { option, cause }: { option?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.option = option;
  }
}

/** The valid names. */
export interface KnownNames {
  /** What a name stands for: `service`. */
  readonly noun: string;
  /** The valid names. */
  readonly choices: readonly string[];
  /** Where they are listed if there are too many: `see outlet server --help`. */
  readonly see?: string;
}

/** The most names listed in an error. */
const MAX_LISTED = 20;

/** `unknown service "ecko": did you mean "echo"?`, or the valid names where none is similar. */
export function unknownName(word: string, { noun, choices, see }: KnownNames): UsageError {
  const nearest = nearestName(word, choices);
  const list = choices.length > MAX_LISTED && see ? see : `expected one of ${choices.join(", ")}`;
  const hint = nearest === undefined
    ? (choices.length === 0 ? "there are none" : list)
    : `did you mean ${quote(nearest)}?`;
  return new UsageError(`unknown ${noun} ${quote(word)}: ${hint}`);
}

/** Prefixes a usage error with its subject: `--port "80x": expected a port, 0 to 65535`. */
export function withSubject(subject: string, error: unknown): unknown {
  if (!(error instanceof UsageError)) return error;
  return new UsageError(`${subject}: ${error.message}`, { option: error.option });
}

/** Quotes user input for an error, and cuts it after 79 characters. */
export function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? word.slice(0, 79) + "…" : word);
}

function nearestName(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word.length > 40) return undefined;
  const nearest = closestString(word, [...known]);
  const allowed = Math.max(1, Math.floor(Math.max(word.length, nearest.length) / 3));
  return levenshteinDistance(word, nearest) <= allowed ? nearest : undefined;
}
