/**
 * Parses scripts: one step per line.
 *
 * @module
 */
import { decodeHex } from "@std/encoding/hex";
import { parseDuration } from "../options/quantity.ts";
import { unknownName, UsageError } from "../options/usage_error.ts";
import { stdinChunks } from "../terminal/stdio.ts";
import { explain } from "../transport/errors.ts";

/** One line of a script. */
export type Step =
  & { /** Its number, from 1. */ readonly line: number; /** Its text. */ readonly source: string }
  & (
    | { readonly does: "send"; readonly text: string }
    | { readonly does: "send-hex"; readonly bytes: Uint8Array }
    | { readonly does: "expect"; readonly pattern: Pattern }
    | { readonly does: "save"; readonly name: string; readonly pattern: Pattern }
    | { readonly does: "expect-end" }
    | { readonly does: "close-write" }
    | { readonly does: "sleep"; readonly time: number }
    | { readonly does: "timeout"; readonly time: number }
  );

/** What `expect` matches: a regular expression, or a literal text. */
export type Pattern =
  | { readonly source: string; readonly flags: string }
  | { readonly text: string };

/** A step without its line. */
type StepBody = Step extends infer One ? Omit<One, "line" | "source"> : never;

const NAME = /^[A-Za-z_]\w*$/;

/** The parser of each kind of step, by the first word of its line. */
const PARSERS: Readonly<Record<string, (rest: string) => unknown>> = {
  "send": (rest) => ({ does: "send", text: parseText(rest) }),
  "send-hex": (rest) => ({ does: "send-hex", bytes: parseHex(rest) }),
  "expect": (rest) => ({ does: "expect", pattern: parsePattern(rest) }),
  "expect-end": (rest) => withoutArgument(rest, { does: "expect-end" }),
  "close-write": (rest) => withoutArgument(rest, { does: "close-write" }),
  "sleep": (rest) => ({ does: "sleep", time: parseTime(rest) }),
  "timeout": (rest) => ({ does: "timeout", time: parseTime(rest) }),
  "save": parseSave,
};

/**
 * Reads a script from a file; `-` is standard input.
 *
 * @throws {UsageError} where the file cannot be read, or which names the line at fault
 */
export async function readScript(path: string): Promise<Step[]> {
  if (path === "-") return parseScript(await readStdin(), "stdin");
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new UsageError(`--script ${path}: cannot read: ${explain(cause)}`);
  });
  return parseScript(text, path);
}

/**
 * Parses a script. Empty lines and lines that begin with `#` are ignored.
 *
 * @throws {UsageError} which names the line at fault, and what is wrong with it
 */
export function parseScript(text: string, name: string): Step[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const source = raw.trim();
    if (source === "" || source.startsWith("#")) return [];
    try {
      const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(source) ?? [];
      const parse = Object.hasOwn(PARSERS, word) ? PARSERS[word] : undefined;
      if (!parse) throw unknownName(word, { noun: "word", choices: Object.keys(PARSERS) });
      return [{ line: index + 1, source, ...parse(rest) as StepBody } as Step];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${name}:${index + 1}: ${error.message}`);
    }
  });
}

async function readStdin(): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdinChunks()) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** Encodes a text and resolves its escapes: `\r`, `\n`, `\t`, `\0`, `\e`, `\xHH`, `\u{…}`, `\"` and `\\`. */
export function resolveEscapes(text: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes: number[] = [];
  const parts = text.matchAll(/\\x([0-9a-f]{2})|\\u\{([0-9a-f]{1,6})\}|\\(.)|[^\\]+/gis);
  for (const [whole, byte, point, letter] of parts) {
    if (byte !== undefined) bytes.push(parseInt(byte, 16));
    else if (point !== undefined) bytes.push(...encoder.encode(characterAt(point)));
    else if (letter !== undefined) bytes.push(...encoder.encode(ESCAPES[letter] ?? letter));
    else bytes.push(...encoder.encode(whole));
  }
  return Uint8Array.from(bytes);
}

const ESCAPES: Readonly<Record<string, string>> = {
  r: "\r",
  n: "\n",
  t: "\t",
  0: "\0",
  e: "\x1b",
};

function characterAt(point: string): string {
  const code = parseInt(point, 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}

function parseText(rest: string): string {
  const match = /^"((?:[^"\\]|\\.)*)"$/.exec(rest);
  if (!match) throw new UsageError('expected quoted text, such as "QUIT\\r\\n"');
  return match[1]!;
}

function parseHex(rest: string): Uint8Array {
  const digits = rest.replace(/\s/g, "");
  if (!/^([0-9a-f]{2})+$/i.test(digits)) {
    throw new UsageError("expected bytes in hex, such as 0d0a");
  }
  return decodeHex(digits);
}

function parsePattern(rest: string): Pattern {
  if (rest.startsWith('"')) return { text: parseText(rest) };
  const [, source, flags = ""] = /^\/((?:[^/\\]|\\.)+)\/([isu]*)$/.exec(rest) ?? [];
  if (source === undefined) {
    throw new UsageError("expected a pattern such as /^250 /, or quoted text");
  }
  try {
    new RegExp(source, flags);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return { source, flags };
}

function parseTime(rest: string): number {
  const time = parseDuration(rest);
  if (time === undefined) throw new UsageError("expected a duration such as 100ms or 5s");
  return time;
}

function parseSave(rest: string): unknown {
  const [, name = "", pattern = ""] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
  if (!NAME.test(name)) throw new UsageError("expected a name and a pattern: save id /id=(\\d+)/");
  return { does: "save", name, pattern: parsePattern(pattern) };
}

function withoutArgument<T>(rest: string, step: T): T {
  if (rest !== "") throw new UsageError("expected nothing after it");
  return step;
}
