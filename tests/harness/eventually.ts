/**
 * Waiting for what should come about, without a fixed sleep.
 *
 * @module
 */
import { delay } from "@std/async/delay";

/** How often is looked, and how long at most, in milliseconds. */
const LOOK = { every: 10, most: 90_000 };

/** Resolves once `check` is true; rejects with what it was about where that never comes. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  what = "what was waited for",
): Promise<void> {
  const end = performance.now() + LOOK.most;
  while (!await check()) {
    if (performance.now() > end) throw new Error(`${what} never came about`);
    await delay(LOOK.every);
  }
}

/** Resolves to a figure that grows once it has grown no more for twenty looks. */
export async function settled(figure: () => number): Promise<number> {
  let last = figure();
  for (let same = 0; same < 20; same++) {
    await delay(LOOK.every);
    if (figure() !== last || last === 0) same = 0;
    last = figure();
  }
  return last;
}
