/**
 * Parses `Proxy-Authenticate` (RFC 9110, section 11).
 *
 * @module
 */

/** One challenge. */
export interface Challenge {
  /** The scheme in lower case: `basic`, `digest` and others. */
  readonly scheme: string;
  /** The parameters by name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+";
const PARAMETER = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`,
  "y",
);
/** A scheme, with the token that follows some schemes, such as `Negotiate`. */
const SCHEME = new RegExp(
  `(${TOKEN})(?:[ \\t]+[\\w.~+/-]+=*(?=[ \\t]*(?:,|$)))?(?=[ \\t,]|$)`,
  "y",
);
const BETWEEN = /[ \t,]*/y;

/**
 * Parses the challenges of a header's value. Commas separate both challenges and parameters; an
 * item with `=` is a parameter. Parsing stops at the first syntax error.
 */
export function readChallenges(value: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(value) ?? undefined;
    if (match) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(BETWEEN);
    const parameter = take(PARAMETER);
    if (parameter) {
      const [, name = "", quoted, plain] = parameter;
      const text = quoted?.replace(/\\(.)/g, "$1") ?? plain!;
      challenges.at(-1)?.parameters.set(name.toLowerCase(), text);
      continue;
    }
    const scheme = take(SCHEME)?.[1];
    if (scheme === undefined) return challenges;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
  }
}
