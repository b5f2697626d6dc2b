/**
 * Clients of the metrics and of the console that did not keep up, as Prometheus reads it.
 *
 * @module
 */
import { httpCounts } from "../transport/http_counts.ts";
import type { Family } from "./exposition.ts";

/** The families. */
export function httpMetrics(): Family[] {
  return [
    {
      name: "outlet_http_clients_cut_off_total",
      help:
        "Clients of the metrics and the console that kept them waiting, or made room for others.",
      type: "counter",
      samples: () => [{ labels: "", value: httpCounts.cutOff }],
    },
    {
      name: "outlet_console_streams_dropped_total",
      help: "Readers of the console's event stream that did not keep up.",
      type: "counter",
      samples: () => [{ labels: "", value: httpCounts.streamsDropped }],
    },
  ];
}
