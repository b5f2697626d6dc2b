/**
 * What peers send is data: before it is shown to a person or put on a line of a log, it passes here,
 * so that it can neither steer a terminal, nor break the line, nor turn the text around.
 *
 * @module
 */

/** Controls, line separators, and marks that reorder or hide text; not those that join letters and emoji. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with every control character shown as its picture (ESC as `␛`) and others as U+FFFD. */
export function printable(text: string): string {
  return text.replace(UNSAFE, picture);
}

/** Like {@linkcode printable}, but lines and tabs keep their shape: for a conversation on a terminal. */
export function printableLines(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(
    UNSAFE,
    (character) => character === "\n" || character === "\t" ? character : picture(character),
  );
}

/**
 * A value as JSON in which every such character is escaped: it means the same to a program, and does nothing to a
 * terminal.
 */
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
