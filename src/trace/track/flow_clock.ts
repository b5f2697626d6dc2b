/**
 * Monotonic time of a flow.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import type { Segment } from "../decode/segment.ts";

/**
 * Timestamps of two CPUs differ by less than this; a larger step back, in milliseconds, is a clock
 * change.
 */
const CLOCK_STEP = 100;

/**
 * Returns the flow time of a capture timestamp and records steps back. The elapsed time of a clock
 * change is unknown, so flow time does not advance across it.
 */
export function advanceFlowClock(flow: Flow, timestamp: number): number {
  const back = flow.captureClock - timestamp;
  if (back > 0) flow.clockBack = Math.max(flow.clockBack, back);
  if (back > CLOCK_STEP) flow.clockOffset = flow.lastAt - timestamp;
  if (back > CLOCK_STEP || back < 0) flow.captureClock = timestamp;
  if (timestamp >= flow.maxCaptureClock) {
    // Two interfaces may have different clocks; this is the first one's again.
    flow.clockOffset = 0;
    flow.maxCaptureClock = timestamp;
  }
  return Math.max(flow.lastAt, timestamp + flow.clockOffset);
}

/**
 * Sets the segment's time relative to the flow's origin, where floating-point milliseconds are
 * exact enough.
 */
export function setTimeSince(segment: Segment, origin: number = segment.seconds): void {
  segment.time = (segment.seconds - origin) * 1000 + segment.nanoseconds / 1e6;
}
