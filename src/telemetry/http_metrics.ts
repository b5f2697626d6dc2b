/**
 * Metrics of slow clients of the metrics page and of the console.
 *
 * @module
 */
import { httpCounts } from "../transport/http_counts.ts";
import type { Family } from "./exposition.ts";

/** The metrics of slow HTTP clients. */
export function httpMetrics(): Family[] {
  return [
    {
      name: "outlet_http_clients_cut_off_total",
      help: "Slow or excess clients of the metrics page and the console that were disconnected.",
      type: "counter",
      samples: () => [{ labels: "", value: httpCounts.cutOff }],
    },
    {
      name: "outlet_console_streams_dropped_total",
      help: "Event streams of the console that were closed because their client was too slow.",
      type: "counter",
      samples: () => [{ labels: "", value: httpCounts.streamsDropped }],
    },
  ];
}
