/**
 * Trying again, for scripts that wait until a service is up.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatDuration } from "../options/quantity.ts";
import { explain } from "../transport/errors.ts";

/** The longest pause between two attempts, unless the first is longer, in milliseconds. */
const LONGEST = 30_000;

/** How much longer each pause is than the one before. */
const GROWTH = 2;

/** By how much a pause differs by chance, so that many who wait do not all come at once. */
const JITTER = 0.25;

/** How often to try again, and how. */
export interface RetryOptions {
  /** How often, at most; may be `Infinity`. */
  readonly retries: number;
  /** The first pause, in milliseconds. */
  readonly delay: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Whether trying again is useless after this error. */
  isFinal(error: unknown): boolean;
  /** Told before each pause. */
  tell(line: string): void;
}

/** Attempts until it works, and gives what came of it; the error of the last attempt where it never does. */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { retries, delay: first, signal, isFinal, tell }: RetryOptions,
): Promise<T> {
  for (let tried = 0;; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (tried >= retries || isFinal(error) || signal?.aborted) throw error;
      const pause = pauseAfter(tried, first);
      tell(`${explain(error)}; trying again in ${formatDuration(pause)}`);
      await delay(pause, signal ? { signal } : {}).catch(() => {
        throw error;
      });
    }
  }
}

/** The pause after so many failed attempts that began with 0, in milliseconds. */
export function pauseAfter(tried: number, first: number): number {
  const grown = Math.min(first * GROWTH ** tried, Math.max(first, LONGEST));
  return Math.round(grown * (1 + JITTER * (2 * Math.random() - 1)));
}
