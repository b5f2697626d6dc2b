/**
 * What happened and what to look at: the two sentences of every diagnosis.
 *
 * @module
 */
import { formatDuration } from "./elapsed.ts";
import type { End, Flow } from "../track/flow.ts";

/** What happened, and what to look at if it is not what was hoped for. */
export interface DiagnosisText {
  /** What happened. */
  readonly words: string;
  /** What to look at. */
  readonly next?: string;
}

/** How often an end sent its SYN or SYN+ACK, and in how long a time. */
export function countText({ syns, lastSynAt }: End, firstAt = lastSynAt): string {
  if (syns <= 1) return "once";
  return `${syns} times over ${formatDuration(lastSynAt - firstAt)}`;
}

/** What was not seen may have come after the last segment that was. */
export function untilText({ finishedAt, evicted, isOverdue }: Flow): string {
  if (finishedAt !== undefined || evicted === "reused" || isOverdue) return "";
  return evicted === "full" ? " before it was left to make room" : " before the capture ended";
}
