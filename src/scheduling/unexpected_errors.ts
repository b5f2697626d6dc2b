/**
 * Handles uncaught errors and unhandled rejections; each is a bug in outlet.
 *
 * @module
 */
import { TaskScope } from "./task_scope.ts";

const tasks = new TaskScope("reporting an unexpected error", {
  consequence: "it is not reported",
});

/** Called with each unexpected error. */
export type UnexpectedErrorListener = (error: unknown) => void;

let listener: UnexpectedErrorListener | undefined;

/** Sets the listener for uncaught errors of this thread, which then continues. */
export function onUnexpectedError(listen: UnexpectedErrorListener): void {
  if (listener === undefined) {
    globalThis.addEventListener(
      "error",
      tasks.guard((event) => handle(event, event.error ?? event.message)),
    );
    globalThis.addEventListener(
      "unhandledrejection",
      tasks.guard((event) => handle(event, event.reason)),
    );
  }
  listener = listen;
}

/** Whether the error is one of JavaScript's own, which indicates a bug rather than a failed operation. */
export function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError ||
    error instanceof RangeError || error instanceof SyntaxError;
}

/** The lines of an error's message and stack. */
export function stackOf(error: unknown): string[] {
  const text = error instanceof Error ? error.stack ?? String(error) : String(error);
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

function handle(event: Event, error: unknown): void {
  event.preventDefault();
  try {
    listener!(error);
  } catch {
    // The listener failed: there is no other.
  }
}
