/**
 * What a proxy asks for before it carries a connection: `Proxy-Authenticate` (RFC 9110, section 11).
 *
 * @module
 */

/** One way to say who we are. */
export interface Challenge {
  /** `basic`, `digest` and others, in lower case. */
  readonly scheme: string;
  /** Its parameters, by their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+";
const PARAMETER = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`,
  "y",
);
/** A scheme, with the token behind it that some have, such as `Negotiate`. */
const SCHEME = new RegExp(
  `(${TOKEN})(?:[ \\t]+[\\w.~+/-]+=*(?=[ \\t]*(?:,|$)))?(?=[ \\t,]|$)`,
  "y",
);
const BETWEEN = /[ \t,]*/y;

/**
 * Reads the challenges in a header's value. Commas stand between challenges, and between the parameters of one:
 * what has a `=` behind it is a parameter. Reading ends at what is neither.
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
