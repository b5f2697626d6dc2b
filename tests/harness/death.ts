/**
 * What a thread dies of, though it catches everything else: this is imported before its own handlers are there.
 *
 * @module
 */

/** The message of the error that ends the thread. */
export const DEATH = "a mortal worker dies";

globalThis.addEventListener("error", (event) => {
  if (event.error?.message === DEATH) event.stopImmediatePropagation();
});
