/**
 * Parses JSON with comments and trailing commas. Errors name the line; duplicate keys are errors.
 *
 * @module
 */
import { parse } from "@std/jsonc";
import { explain } from "../transport/errors.ts";
import { quote, UsageError } from "../options/usage_error.ts";

/**
 * Parses JSONC.
 *
 * @throws {UsageError} which names the line and what is wrong there
 */
export function parseJsonc(text: string): unknown {
  // Some editors write a byte order mark.
  const plain = text.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = parse(plain);
  } catch (error) {
    throw new UsageError(withLine(explain(error), plain));
  }
  checkDuplicateKeys(plain);
  return value;
}

/** Replaces the parser's character offset by a line and a column. */
function withLine(message: string, text: string): string {
  if (/unexpected end of JSONC/.test(message)) return describeTruncation(text);
  const [, what, position] =
    /^Cannot parse JSONC: (.*) in JSONC at position (\d+)$/s.exec(message) ?? [];
  if (what === undefined) return message;
  return `${formatPosition(text, Number(position))}: ${what}`;
}

function describeTruncation(text: string): string {
  const open: Token[] = [];
  for (const token of tokensOf(text)) {
    if (/^[{[]$/.test(token.text)) open.push(token);
    else if (/^[}\]]$/.test(token.text)) open.pop();
  }
  const inner = open.at(-1);
  const end = formatPosition(text, text.trimEnd().length);
  if (inner) {
    return `${end}: unexpected end of file: the ${inner.text} in ${
      formatPosition(text, inner.at)
    } is not closed`;
  }
  return text.trim() === ""
    ? "the file is empty"
    : `${end}: the file ends in the middle of a value`;
}

/** The parser accepts duplicate keys and keeps the last value. */
function checkDuplicateKeys(text: string): void {
  const keys: Map<string, number>[] = [];
  let before: Token | undefined;
  for (const token of tokensOf(text)) {
    if (token.text === "{" || token.text === "[") keys.push(new Map());
    else if (token.text === "}" || token.text === "]") keys.pop();
    else if (token.text === ":" && before) {
      const key = JSON.parse(before.text) as string;
      const first = keys.at(-1)?.get(key);
      if (first !== undefined) {
        const [here, there] = [before.at, first].map((at) => formatPosition(text, at));
        throw new UsageError(`${here}: ${quote(key)} is already in ${there}`);
      }
      keys.at(-1)?.set(key, before.at);
    }
    before = token;
  }
}

/** A string, a punctuation mark, or another run of characters without white space. */
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
function formatPosition(text: string, position: number): string {
  const before = text.slice(0, position).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
