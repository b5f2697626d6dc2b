/**
 * What somebody in a room can be called.
 *
 * @module
 */

/** What operators are called: `host`, and `host-2` where a room reaches another server's operator too. */
export const HOST = "host";

/** Names are letters, digits, `-`, `_` and `.`, at most 24. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]{0,23}$/u;

/** Letters and marks that show nothing, such as U+3164 HANGUL FILLER: two names that look the same would differ. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

const OPERATORS = /^host(-\d+)?$/;

/** Whether somebody can be called so. */
export function isName(word: string): boolean {
  return NAME.test(word) && !INVISIBLE.test(word) && !INVISIBLE.test(word.normalize("NFKC"));
}

/** Whether the name is an operator's, which no guest can take. */
export function isOperators(name: string): boolean {
  return OPERATORS.test(keyOf(name));
}

/** Names that differ only in case or in how they are composed are the same name: they have the same key. */
export function keyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
