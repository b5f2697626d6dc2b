/**
 * Hex dumps with offset, direction and time.
 *
 * @module
 */

const WIDTH = 16;

/** The direction in a dump: `<` received, `>` sent. */
export type Direction = "<" | ">";

/**
 * The lines of one chunk. `offset` is the number of earlier bytes in that direction.
 *
 * `< 2026-11-22T20:15:03.123Z 00000000  48 69 0a                 |Hi.|`
 */
export function hexDump(
  bytes: Uint8Array,
  { direction, at, offset, label = "" }: {
    direction: Direction;
    at: Date;
    offset: number;
    /** What each line begins with. */
    label?: string;
  },
): string {
  const begin = `${label}${direction} ${at.toISOString()}`;
  let text = "";
  for (let start = 0; start < bytes.length; start += WIDTH) {
    const row = bytes.subarray(start, start + WIDTH);
    const offsetText = (offset + start).toString(16).padStart(8, "0");
    text += `${begin} ${offsetText}  ${hexOf(row).padEnd(WIDTH * 3)} |${charactersOf(row)}|\n`;
  }
  return text;
}

function hexOf(row: Uint8Array): string {
  return Array.from(row, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function charactersOf(row: Uint8Array): string {
  return Array.from(row, (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")
    .join("");
}
