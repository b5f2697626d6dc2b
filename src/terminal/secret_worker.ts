/**
 * The thread that waits for a secret to be typed: `promptSecret` blocks its thread, and the main thread has to go on
 * handling signals, so that Ctrl-C ends the program.
 *
 * @module
 */
import { promptSecret } from "@std/cli/prompt-secret";

addEventListener("message", ({ data }) => {
  postMessage(promptSecret(data));
});
