/**
 * Escapes text from peers before it is shown or logged, so that it cannot control a terminal, break a line, or reorder
 * text.
 *
 * @module
 */

/** Control characters, line separators, and format characters, except those that join letters and emoji. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text without any of them, as most of a log is; a third of the time of a search for the others. */
const ASCII = /^[\x20-\x7e]*$/;

/** Replaces control characters by their pictures (ESC by `␛`), and other unsafe characters by U+FFFD. */
export function printable(text: string): string {
  return ASCII.test(text) ? text : text.replace(UNSAFE, picture);
}

/** Like {@linkcode printable}, but keeps newlines and tabs. */
export function printableLines(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(
    UNSAFE,
    (character) => character === "\n" || character === "\t" ? character : picture(character),
  );
}

/** Formats a value as JSON in which unsafe characters are escaped as `\uXXXX`. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) =>
      Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
        .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join(""),
  );
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "␡" : "\ufffd";
}
