/**
 * Retries with exponential back-off.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { formatDuration } from "../options/quantity.ts";
import { explain } from "../transport/errors.ts";

/** The longest delay, in milliseconds, unless the first is longer. */
const MAX_DELAY = 30_000;

/** The factor between one delay and the next. */
const GROWTH = 2;

/** The random share of a delay, so that waiting clients do not retry all at once. */
const JITTER = 0.25;

/** How often to retry, and when. */
export interface RetryOptions {
  /** The most retries; may be `Infinity`. */
  readonly retries: number;
  /** The first delay, in milliseconds. */
  readonly delay: number;
  /** Aborted to stop retrying. */
  readonly signal?: AbortSignal | undefined;
  /** Whether a retry is useless after this error. */
  isFinal(error: unknown): boolean;
  /** Writes a line before each delay. */
  log(line: string): void;
}

/** Calls `attempt` until it succeeds; throws its last error when there are no retries left. */
export async function withRetry<T>(
  attempt: () => Promise<T>,
  { retries, delay: first, signal, isFinal, log }: RetryOptions,
): Promise<T> {
  for (let tried = 0;; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (tried >= retries || isFinal(error) || signal?.aborted) throw error;
      const pause = backoffDelay(tried, first);
      log(`${explain(error)}; trying again in ${formatDuration(pause)}`);
      await delay(pause, signal ? { signal } : {}).catch(() => {
        throw error;
      });
    }
  }
}

/** The delay after this many retries, in milliseconds. */
export function backoffDelay(tried: number, first: number): number {
  const grown = Math.min(first * GROWTH ** tried, Math.max(first, MAX_DELAY));
  return Math.round(grown * (1 + JITTER * (2 * Math.random() - 1)));
}
