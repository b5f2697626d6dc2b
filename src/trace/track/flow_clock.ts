/**
 * The time of a flow: that of the capture, but that it never goes back.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import type { Segment } from "../decode/segment.ts";

/** Processors that capture side by side differ by less than this, in milliseconds; a clock that is set, by more. */
const CLOCK_STEP = 100;

/**
 * Turns a packet's time into the flow's, and notes by how much the capture's clock has gone back.
 *
 * Where a clock was set, nobody knows how long it really took: the flow's time stands still there.
 */
export function advanceFlowClock(flow: Flow, stamped: number): number {
  const back = flow.captureClock - stamped;
  if (back > 0) flow.clockBack = Math.max(flow.clockBack, back);
  if (back > CLOCK_STEP) flow.clockOffset = flow.lastAt - stamped;
  if (back > CLOCK_STEP || back < 0) flow.captureClock = stamped;
  if (stamped >= flow.maxCaptureClock) {
    // Two interfaces may have clocks of their own: this one is the first one's again.
    flow.clockOffset = 0;
    flow.maxCaptureClock = stamped;
  }
  return Math.max(flow.lastAt, stamped + flow.clockOffset);
}

/** Counts a segment's time from a flow's own origin, so that what else was captured rounds nothing. */
export function setTimeSince(segment: Segment, origin: number = segment.seconds): void {
  segment.time = (segment.seconds - origin) * 1000 + segment.nanoseconds / 1e6;
}
