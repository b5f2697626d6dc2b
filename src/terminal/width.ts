/**
 * How wide text may be.
 *
 * @module
 */

/** The widest that lines of text are, whatever the terminal: longer ones are hard to read. */
const WIDEST = 120;

/** How many columns text on stdout has, where it is a terminal that knows. */
export function terminalWidth(): number | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? Math.min(columns, WIDEST) : undefined;
  } catch {
    return undefined;
  }
}
