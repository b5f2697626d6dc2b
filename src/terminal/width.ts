/**
 * The width of the terminal.
 *
 * @module
 */

/** The widest text, because longer lines are hard to read. */
const WIDEST = 120;

/** The columns of the terminal at stdout, at most 120; `undefined` where it is not a terminal. */
export function terminalWidth(): number | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? Math.min(columns, WIDEST) : undefined;
  } catch {
    return undefined;
  }
}
