/**
 * The last resort: errors that nobody caught, and promises that nobody awaits. Each is a bug of outlet's.
 *
 * @module
 */
import { TaskScope } from "./task_scope.ts";

const tasks = new TaskScope("telling of an unexpected error", {
  without: "it is not told",
});

/** Told of each unexpected error. */
export type UnexpectedErrorListener = (error: unknown) => void;

let listener: UnexpectedErrorListener | undefined;

/** Catches what nobody else has caught in this thread, from now on, and tells this; the thread goes on. */
export function onUnexpectedError(listen: UnexpectedErrorListener): void {
  if (listener === undefined) {
    globalThis.addEventListener(
      "error",
      tasks.guard((event) => tell(event, event.error ?? event.message)),
    );
    globalThis.addEventListener(
      "unhandledrejection",
      tasks.guard((event) => tell(event, event.reason)),
    );
  }
  listener = listen;
}

/** Whether an error is one of the language's own, which tell of a mistake in the code rather than of the world. */
export function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError ||
    error instanceof RangeError || error instanceof SyntaxError;
}

/** What an error says, and where it came from: a line each. */
export function stackOf(error: unknown): string[] {
  const text = error instanceof Error ? error.stack ?? String(error) : String(error);
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

function tell(event: Event, error: unknown): void {
  event.preventDefault();
  try {
    listener!(error);
  } catch {
    // There is nobody left to tell.
  }
}
