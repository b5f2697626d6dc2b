/**
 * The names of members.
 *
 * @module
 */

/** The operator's name; `host-2` and so on if another server's operator has it. */
export const HOST = "host";

/** Up to 24 letters, digits, `-`, `_` and `.`. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,23}$/u;

/** Invisible letters and marks, such as U+3164 HANGUL FILLER, which would make names look equal. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

const OPERATORS = /^host(-\d+)?$/;

/** Whether this is a valid name. */
export function isName(word: string): boolean {
  return NAME.test(word) && !INVISIBLE.test(word) && !INVISIBLE.test(word.normalize("NFKC"));
}

/** Whether the name is reserved for operators. */
export function isOperators(name: string): boolean {
  return OPERATORS.test(keyOf(name));
}

/** The key under which names are compared: without case, in normalization form KC. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
