/**
 * Exit codes of programs.
 *
 * @module
 */
import { constants } from "node:os";
import type { Exit } from "./program.ts";

/** The exit code that a shell reports: 128 and the signal's number if a signal has ended it. */
export function exitCodeOf(exit: Exit): number {
  return typeof exit === "number" ? exit : 128 + (constants.signals[exit as "SIGTERM"] ?? 0);
}
