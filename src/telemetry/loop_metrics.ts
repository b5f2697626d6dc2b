/**
 * How late the event loops are, as Prometheus reads it.
 *
 * @module
 */
import { DELAY_BOUNDS, type LoopDelayWatch } from "../scheduling/loop_delay.ts";
import type { Family, Sample } from "./exposition.ts";

/** The families; to read them begins a new longest delay. */
export function loopMetrics(watch: LoopDelayWatch): Family[] {
  return [
    {
      name: "outlet_event_loop_delay_seconds",
      help: "How late timers ran, in all threads: whatever is due waits as long.",
      type: "histogram",
      samples: () => histogramOf(watch),
    },
    {
      name: "outlet_event_loop_delay_longest_seconds",
      help: "The longest of these delays since this was read the last time.",
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
