/**
 * Text shared by all diagnoses.
 *
 * @module
 */
import { formatDuration } from "./elapsed.ts";
import type { End } from "../track/end.ts";
import type { Flow } from "../track/flow.ts";

/** What happened, and what to check next. */
export interface DiagnosisText {
  /** What happened. */
  readonly text: string;
  /** What to check next, if the attempt failed. */
  readonly next?: string;
}

/** How often an end sent its SYN or SYN+ACK, and over which time. */
export function countText({ syns, lastSynAt }: End, firstAt = lastSynAt): string {
  if (syns <= 1) return "once";
  return `${syns} times over ${formatDuration(lastSynAt - firstAt)}`;
}

/** Why no further segments are known: the capture ended, or the flow was evicted. */
export function untilText({ finishedAt, evicted, isOverdue }: Flow): string {
  if (finishedAt !== undefined || evicted === "reused" || isOverdue) return "";
  return evicted === "full" ? " before it was evicted" : " before the capture ended";
}
