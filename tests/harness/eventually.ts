/**
 * Waits for conditions, without a fixed delay.
 *
 * @module
 */
import { delay } from "@std/async/delay";

/** The interval of checks and the time limit, in milliseconds. */
const POLL = { every: 10, most: 90_000 };

/** Resolves once `check` is true; rejects with the description at the time limit. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  what = "what was waited for",
): Promise<void> {
  const end = performance.now() + POLL.most;
  while (!await check()) {
    if (performance.now() > end) throw new Error(`${what} never came about`);
    await delay(POLL.every);
  }
}

/** Resolves to a figure once it has not changed for twenty checks. */
export async function settled(figure: () => number): Promise<number> {
  let last = figure();
  for (let same = 0; same < 20; same++) {
    await delay(POLL.every);
    if (figure() !== last || last === 0) same = 0;
    last = figure();
  }
  return last;
}
