/**
 * What goes wrong where nobody awaits it, as events: tasks that fail, errors that nobody caught, and what libraries
 * print. The thread goes on.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import { onTaskFault } from "../scheduling/task_scope.ts";
import { isBug, onUnexpectedError, stackOf } from "../scheduling/unexpected_errors.ts";
import { explain } from "../transport/errors.ts";

/** Lines of libraries that are told within {@linkcode WINDOW}; more are counted. */
const LINES = 10;

/** In milliseconds. */
const WINDOW = 1_000;

/** The most characters of a library's line that are told. */
const LENGTH = 500;

/** Publishes on this event bus, from now on, whatever goes wrong in this thread and has no other place to be told. */
export function publishFaults(eventBus: EventBus): void {
  const unexpected = (error: unknown) =>
    eventBus.publish({ event: "unexpected-error", stack: stackOf(error) });
  onUnexpectedError(unexpected);
  onTaskFault(({ task, without, error }) => {
    if (isBug(error)) unexpected(error);
    eventBus.publish({ event: "task-failed", task, reason: explain(error), consequence: without });
  });
  publishConsole(eventBus);
}

/**
 * Makes events of what is printed through `console`. outlet itself prints nothing there; libraries do, and a print on a
 * pipe that nobody reads stops the thread.
 */
function publishConsole(eventBus: EventBus): void {
  let since = -Infinity;
  let told = 0;
  let untold = 0;
  const print = (...values: unknown[]) => {
    const now = performance.now();
    if (now - since > WINDOW) [since, told] = [now, 0];
    if (told >= LINES) return void untold++;
    told++;
    eventBus.publish({ event: "library-output", text: textOf(values), untold });
    untold = 0;
  };
  for (const method of ["debug", "error", "info", "log", "trace", "warn"] as const) {
    console[method] = print;
  }
}

function textOf(values: readonly unknown[]): string {
  const words = values.map((value) => typeof value === "string" ? value : Deno.inspect(value));
  return words.join(" ").slice(0, LENGTH);
}
