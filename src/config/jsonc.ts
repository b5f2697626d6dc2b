/**
 * The text of a config file: JSON in which comments and trailing commas may stand. Faults are told by line, and a key
 * that stands twice is one of them.
 *
 * @module
 */
import { parse } from "@std/jsonc";
import { explain } from "../transport/errors.ts";
import { quote, UsageError } from "../options/usage_error.ts";

/**
 * The value that the text stands for.
 *
 * @throws {UsageError} which names the line, and what is wrong there
 */
export function parseJsonc(text: string): unknown {
  // Some editors begin a file with a byte order mark.
  const plain = text.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = parse(plain);
  } catch (error) {
    throw new UsageError(withLine(explain(error), plain));
  }
  refuseTwice(plain);
  return value;
}

/** The parser counts characters; people count lines. */
function withLine(message: string, text: string): string {
  if (/unexpected end of JSONC/.test(message)) return whereItEnds(text);
  const [, what, position] =
    /^Cannot parse JSONC: (.*) in JSONC at position (\d+)$/s.exec(message) ?? [];
  if (what === undefined) return message;
  return `${lineOf(text, Number(position))}: ${what}`;
}

function whereItEnds(text: string): string {
  const open: Token[] = [];
  for (const token of tokensOf(text)) {
    if (/^[{[]$/.test(token.text)) open.push(token);
    else if (/^[}\]]$/.test(token.text)) open.pop();
  }
  const inner = open.at(-1);
  const end = lineOf(text, text.trimEnd().length);
  if (inner) {
    return `${end}: the file ends, and the ${inner.text} of ${lineOf(text, inner.at)} is open`;
  }
  return text.trim() === "" ? "the file is empty" : `${end}: the file ends within something`;
}

/** Of two values for one key the parser drops the first without a word. */
function refuseTwice(text: string): void {
  const keys: Map<string, number>[] = [];
  let before: Token | undefined;
  for (const token of tokensOf(text)) {
    if (token.text === "{" || token.text === "[") keys.push(new Map());
    else if (token.text === "}" || token.text === "]") keys.pop();
    else if (token.text === ":" && before) {
      const key = JSON.parse(before.text) as string;
      const first = keys.at(-1)?.get(key);
      if (first !== undefined) {
        const [here, there] = [before.at, first].map((at) => lineOf(text, at));
        throw new UsageError(`${here}: ${quote(key)} stands in ${there} already`);
      }
      keys.at(-1)?.set(key, before.at);
    }
    before = token;
  }
}

/** A piece of the text that means something: a string, a mark, or anything else without space. */
interface Token {
  readonly text: string;
  readonly at: number;
}

const TOKEN = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|"(?:[^"\\]|\\[^])*"?|[{}[\]:,]|[^\s{}[\]:,"/]+|\//g;

function* tokensOf(text: string): Generator<Token> {
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (!/^\/[/*]/.test(token)) yield { text: token, at: index };
  }
}

/** `line 2, column 15` */
function lineOf(text: string, position: number): string {
  const before = text.slice(0, position).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
