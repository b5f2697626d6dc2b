// @ts-check
/** Escape sequences in typed text. */

/** @type {Record<string, string>} */
const LETTERS = { n: "\n", r: "\r", t: "\t", e: "\x1b", a: "\x07", 0: "\0", "\\": "\\" };

/**
 * The bytes of a typed text as hex, for the API: `\n`, `\r`, `\t`, `\e`, `\a`, `\0`, `\\`, `\xHH`
 * is a byte, `\u{H…}` a character; everything else is UTF-8.
 * @param {string} typed
 * @returns {string}
 */
export function escapedToHex(typed) {
  const encoder = new TextEncoder();
  let hex = "";
  for (const [part] of typed.matchAll(/\\x[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\}|\\.|[^\\]+|\\/gis)) {
    hex += part.startsWith("\\x") && part.length === 4
      ? part.slice(2)
      : hexOf(encoder.encode(meaning(part)));
  }
  return hex;
}

/** @param {string} part */
function meaning(part) {
  const code = /^\\u\{(.*)\}$/i.exec(part)?.[1];
  if (code !== undefined) return String.fromCodePoint(Math.min(parseInt(code, 16), 0x10ffff));
  if (!part.startsWith("\\")) return part;
  const letter = LETTERS[part.slice(1)];
  if (letter === undefined) {
    throw new Error(`${part}: expected \\n, \\r, \\t, \\e, \\0, \\\\, \\xHH or \\u{…}`);
  }
  return letter;
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
