/**
 * A conversation written down: one line for each thing to say or to wait for.
 *
 * @module
 */
import { decodeHex } from "@std/encoding/hex";
import { parseDuration } from "../options/quantity.ts";
import { unknownWord, UsageError } from "../options/usage_error.ts";
import { stdinChunks } from "../terminal/stdio.ts";
import { explain } from "../transport/errors.ts";

/** One line of a script. */
export type Step =
  & { /** Its number. */ readonly line: number; /** As it stands. */ readonly source: string }
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

/** What is waited for: a regular expression, or a text as it stands. */
export type Pattern =
  | { readonly source: string; readonly flags: string }
  | { readonly text: string };

/** Whatever a line says behind its number. */
type ReadScriptWord = Step extends infer One ? Omit<One, "line" | "source"> : never;

const NAME = /^[A-Za-z_]\w*$/;

/** How each line is read, by its first word. */
const READERS: Readonly<Record<string, (rest: string) => unknown>> = {
  "send": (rest) => ({ does: "send", text: readText(rest) }),
  "send-hex": (rest) => ({ does: "send-hex", bytes: readHex(rest) }),
  "expect": (rest) => ({ does: "expect", pattern: readPattern(rest) }),
  "expect-end": (rest) => nothing(rest, { does: "expect-end" }),
  "close-write": (rest) => nothing(rest, { does: "close-write" }),
  "sleep": (rest) => ({ does: "sleep", time: readTime(rest) }),
  "timeout": (rest) => ({ does: "timeout", time: readTime(rest) }),
  "save": readSave,
};

/**
 * Reads the script in a file; `-` is standard input.
 *
 * @throws {UsageError} which says why the file cannot be read, or names the line at fault, and what is wrong with it
 */
export async function readScript(path: string): Promise<Step[]> {
  if (path === "-") return parseScript(await readStdin(), "stdin");
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new UsageError(`--script ${path}: cannot be read: ${explain(cause)}`);
  });
  return parseScript(text, path);
}

/**
 * Reads a script. Empty lines and lines that begin with `#` say nothing.
 *
 * @throws {UsageError} which names the line at fault, and what is wrong with it
 */
export function parseScript(text: string, name: string): Step[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const source = raw.trim();
    if (source === "" || source.startsWith("#")) return [];
    try {
      const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(source) ?? [];
      const read = Object.hasOwn(READERS, word) ? READERS[word] : undefined;
      if (!read) throw unknownWord(word, { noun: "word", words: Object.keys(READERS) });
      return [{ line: index + 1, source, ...read(rest) as ReadScriptWord } as Step];
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

/** The bytes of a text with `\r`, `\n`, `\t`, `\0`, `\e`, `\xHH`, `\u{…}`, `\"` and `\\` in it. */
export function unescaped(text: string): Uint8Array {
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

function readText(rest: string): string {
  const match = /^"((?:[^"\\]|\\.)*)"$/.exec(rest);
  if (!match) throw new UsageError('expected a text in quotes, such as "QUIT\\r\\n"');
  return match[1]!;
}

function readHex(rest: string): Uint8Array {
  const digits = rest.replace(/\s/g, "");
  if (!/^([0-9a-f]{2})+$/i.test(digits)) {
    throw new UsageError("expected bytes in hex, such as 0d0a");
  }
  return decodeHex(digits);
}

function readPattern(rest: string): Pattern {
  if (rest.startsWith('"')) return { text: readText(rest) };
  const [, source, flags = ""] = /^\/((?:[^/\\]|\\.)+)\/([isu]*)$/.exec(rest) ?? [];
  if (source === undefined) {
    throw new UsageError("expected a pattern such as /^250 /, or a text in quotes");
  }
  try {
    new RegExp(source, flags);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return { source, flags };
}

function readTime(rest: string): number {
  const time = parseDuration(rest);
  if (time === undefined) throw new UsageError("expected a duration such as 100ms or 5s");
  return time;
}

function readSave(rest: string): unknown {
  const [, name = "", pattern = ""] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
  if (!NAME.test(name)) throw new UsageError("expected a name and a pattern: save id /id=(\\d+)/");
  return { does: "save", name, pattern: readPattern(pattern) };
}

function nothing<T>(rest: string, step: T): T {
  if (rest !== "") throw new UsageError("nothing is expected behind it");
  return step;
}
