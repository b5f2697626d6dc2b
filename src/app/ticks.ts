/**
 * Adds ticks to a stream while no data arrives.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("closing a stream", {
  consequence: "it is not used any more",
});

/** When a stream ticks and when it ends. */
export interface TicksOptions {
  /** Yields `undefined` after this many milliseconds without data. */
  readonly interval?: number;
  /** Aborted to end the stream, even while it waits. */
  readonly signal?: AbortSignal;
}

/** Yields what the source yields, with `undefined` for ticks, and ends when the signal is aborted. */
export async function* withTicks<T>(
  source: AsyncGenerator<T>,
  { interval, signal }: TicksOptions,
): AsyncGenerator<T | undefined> {
  const aborted = Promise.withResolvers<"aborted">();
  const abort = () => aborted.resolve("aborted");
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  let next = source.next();
  try {
    for (;;) {
      const timer = Promise.withResolvers<"tick">();
      const id = interval === undefined ? 0 : setTimeout(() => timer.resolve("tick"), interval);
      const first = await Promise.race([next, aborted.promise, timer.promise])
        .finally(() => clearTimeout(id));
      if (first === "aborted") return;
      if (first === "tick") {
        yield undefined;
      } else if (first.done) {
        return;
      } else {
        yield first.value;
        next = source.next();
      }
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    // Not awaited: the source may be blocked forever.
    tasks.run(source.return(undefined));
  }
}
