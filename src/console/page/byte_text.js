// @ts-check
/** Formats bytes as visible text: control characters of a peer are never interpreted. */

/**
 * Control characters, line separators, and marks that reorder or hide text; not joiners of
 * letters and emoji.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const WIDTH = 16;

/**
 * Decodes UTF-8; control characters except line feeds and tabs become control pictures: ESC is `␛`.
 * @param {Uint8Array} bytes
 */
export function textOf(bytes) {
  return new TextDecoder().decode(bytes).replace(UNSAFE, (character) => {
    if (character === "\n" || character === "\t") return character;
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "␡" : "\ufffd";
  });
}

/**
 * Rows of 16 bytes in hex, each after its offset.
 * @param {Uint8Array} bytes
 * @param {number} offset
 */
export function hexOf(bytes, offset) {
  return rows(bytes, (row, at) => `${(offset + at).toString(16).padStart(8, "0")}  ${pairs(row)}`);
}

/**
 * Like {@linkcode hexOf}, followed by the characters.
 * @param {Uint8Array} bytes
 * @param {number} offset
 */
export function bothOf(bytes, offset) {
  return rows(bytes, (row, at) => {
    const offsetText = (offset + at).toString(16).padStart(8, "0");
    const hex = pairs(row).padEnd(WIDTH * 3);
    const characters = Array.from(
      row,
      (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·",
    ).join("");
    return `${offsetText}  ${hex} ${characters}`;
  });
}

/** Decodes base64. @param {string} base64 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} row */
function pairs(row) {
  return Array.from(row, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** @param {Uint8Array} bytes @param {(row: Uint8Array, at: number) => string} write */
function rows(bytes, write) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    lines.push(write(bytes.subarray(at, at + WIDTH), at));
  }
  return lines.join("\n");
}
