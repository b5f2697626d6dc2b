/**
 * Metrics of dropped messages.
 *
 * @module
 */
import { droppedBy } from "../terminal/drop_counts.ts";
import { type Family, labelText } from "./exposition.ts";

const LOG_SINKS = ["stderr", "stdout", "file"] as const;

/** The metrics of dropped messages. */
export function dropMetrics(): Family[] {
  return [
    {
      name: "outlet_log_lines_dropped_total",
      help: "Log lines dropped because stderr, stdout or the log file was too slow.",
      type: "counter",
      *samples() {
        for (const sink of LOG_SINKS) {
          yield { labels: labelText({ sink }), value: droppedBy(sink) };
        }
      },
    },
    {
      name: "outlet_systemd_messages_dropped_total",
      help: "Notifications dropped because the service manager was too slow.",
      type: "counter",
      samples: () => [{ labels: "", value: droppedBy("systemd") }],
    },
  ];
}
