/**
 * The error that ends a worker thread. Its listener is added before the worker's own handlers,
 * which would catch it.
 *
 * @module
 */

/** The message of the error that ends the thread. */
export const CRASH_MESSAGE = "this worker thread crashes on purpose";

globalThis.addEventListener("error", (event) => {
  if (event.error?.message === CRASH_MESSAGE) event.stopImmediatePropagation();
});
