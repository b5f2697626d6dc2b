/**
 * Metrics of the event loop's delay.
 *
 * @module
 */
import { DELAY_BOUNDS, type LoopDelayWatch } from "../scheduling/loop_delay.ts";
import type { Family, Sample } from "./exposition.ts";

/** The metrics of the event loop's delay; reading them resets the longest delay. */
export function loopMetrics(watch: LoopDelayWatch): Family[] {
  return [
    {
      name: "outlet_event_loop_delay_seconds",
      help: "How late timers run, in all threads.",
      type: "histogram",
      samples: () => histogramOf(watch),
    },
    {
      name: "outlet_event_loop_delay_longest_seconds",
      help: "The longest of these delays since the last scrape.",
      type: "gauge",
      samples: () => [{ labels: "", value: watch.takeLongest() }],
    },
  ];
}

function* histogramOf({ counts, sum }: LoopDelayWatch): Generator<Sample> {
  let count = 0;
  for (const [i, le] of [...DELAY_BOUNDS, "+Inf"].entries()) {
    count += counts[i]!;
    yield { suffix: "_bucket", labels: `le="${le}"`, value: count };
  }
  yield { suffix: "_sum", labels: "", value: sum };
  yield { suffix: "_count", labels: "", value: count };
}
