/**
 * Publishes background faults as events: failed tasks, uncaught errors, and what libraries print.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import { onTaskFault } from "../scheduling/task_scope.ts";
import { isBug, onUnexpectedError, stackOf } from "../scheduling/unexpected_errors.ts";
import { explain } from "../transport/errors.ts";

/** The most lines of libraries in one {@linkcode WINDOW}; others are counted. */
const LINES = 10;

/** The length of the window, in milliseconds. */
const WINDOW = 1_000;

/** The most characters of a line. */
const LENGTH = 500;

/** Publishes the background faults of this thread on the event bus. */
export function publishFaults(eventBus: EventBus): void {
  const unexpected = (error: unknown) =>
    eventBus.publish({ event: "unexpected-error", stack: stackOf(error) });
  onUnexpectedError(unexpected);
  onTaskFault(({ task, consequence, error }) => {
    if (isBug(error)) unexpected(error);
    eventBus.publish({ event: "task-failed", task, reason: explain(error), consequence });
  });
  publishConsole(eventBus);
}

/**
 * Turns `console` output into events. outlet does not use `console`, but libraries do, and a print to a full pipe would
 * block the thread.
 */
function publishConsole(eventBus: EventBus): void {
  let since = -Infinity;
  let published = 0;
  let dropped = 0;
  const print = (...values: unknown[]) => {
    const now = performance.now();
    if (now - since > WINDOW) [since, published] = [now, 0];
    if (published >= LINES) return void dropped++;
    published++;
    eventBus.publish({ event: "library-output", text: textOf(values), suppressed: dropped });
    dropped = 0;
  };
  for (const method of ["debug", "error", "info", "log", "trace", "warn"] as const) {
    console[method] = print;
  }
}

function textOf(values: readonly unknown[]): string {
  const texts = values.map((value) => typeof value === "string" ? value : Deno.inspect(value));
  return texts.join(" ").slice(0, LENGTH);
}
