/**
 * A stream that is also heard when nothing comes.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("closing a stream", {
  without: "it is over",
});

/** When a stream is interrupted, and how long it may be silent. Times are in milliseconds. */
export interface TicksOptions {
  /** Yields `undefined` each time nothing has come for this long. */
  readonly interval?: number;
  /** Ends the stream, even while it waits. */
  readonly signal?: AbortSignal;
}

/** Passes on what comes, `undefined` when nothing does, and ends when the signal is aborted. */
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
      const timer = Promise.withResolvers<"pulse">();
      const id = interval === undefined ? 0 : setTimeout(() => timer.resolve("pulse"), interval);
      const first = await Promise.race([next, aborted.promise, timer.promise])
        .finally(() => clearTimeout(id));
      if (first === "aborted") return;
      if (first === "pulse") {
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
    // A source that waits for what never comes cannot be waited for.
    tasks.run(source.return(undefined));
  }
}
