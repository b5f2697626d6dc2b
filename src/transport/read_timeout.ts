/**
 * The time limit of what a stage reads before it answers.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import type { ByteStream } from "./stream.ts";

const tasks = new TaskScope("the timeout of a header", { consequence: "it goes on" });

/** Options of {@linkcode closeOnTimeout}. */
export interface ReadTimeout {
  /** Aborted when the outlet stops. */
  readonly signal: AbortSignal;
  /** The time limit in milliseconds. */
  readonly timeout: number;
  /** The reason if it is over. */
  readonly late: string;
}

/** Closes the stream when the time is over or the outlet stops, until disposed; then it has a reason. */
export function closeOnTimeout(
  stream: ByteStream,
  { signal, timeout, late }: ReadTimeout,
): Disposable & { readonly reason: string | undefined } {
  let reason: string | undefined;
  const close = (why: string) => {
    if (reason !== undefined) return;
    reason = why;
    stream.close();
  };
  const timer = setTimeout(tasks.guard(() => close(late)), timeout);
  const stop = tasks.guard(() => close("server closed"));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  return {
    get reason() {
      return reason;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}
