/**
 * Metrics of name look-ups.
 *
 * @module
 */
import type { ResolverCounts } from "../transport/resolver.ts";
import { type Family, labelText } from "./exposition.ts";

/** The metrics of the resolver. */
export function resolverMetrics(counts: ResolverCounts): Family[] {
  const { lookups, failures, underWay, refused, hits, stale, unanswered, queued, waiting } = counts;
  const samples = (label: string, values: Readonly<Record<string, number>>) => () =>
    Object.entries(values).map(([name, value]) => ({
      labels: labelText({ [label]: name }),
      value,
    }));
  return [
    {
      name: "outlet_name_lookups_total",
      help: "Name look-ups, by result; refused ones were not started, because too many are silent.",
      type: "counter",
      samples: samples("result", {
        answered: lookups - failures - underWay,
        failed: failures,
        refused,
      }),
    },
    {
      name: "outlet_name_cache_hits_total",
      help: "Names answered from the cache: fresh, or stale because the system does not answer.",
      type: "counter",
      samples: samples("age", { fresh: hits, stale }),
    },
    {
      name: "outlet_name_lookups_running",
      help: "Name look-ups in progress: queued, waiting for an answer, or silent for a while.",
      type: "gauge",
      samples: samples("state", { queued, waiting: underWay - unanswered, silent: unanswered }),
    },
    {
      name: "outlet_name_waiters",
      help: "Connects that wait for a name look-up.",
      type: "gauge",
      samples: () => [{ labels: "", value: waiting }],
    },
  ];
}
