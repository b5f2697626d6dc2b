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
      help: "Lines that stderr, stdout or the log's file did not accept in time.",
      type: "counter",
      *samples() {
        for (const sink of LOG_SINKS) {
          yield { labels: labelText({ sink }), value: droppedBy(sink) };
        }
      },
    },
    {
      name: "outlet_systemd_messages_dropped_total",
      help: "Messages that the service manager did not accept in time.",
      type: "counter",
      samples: () => [{ labels: "", value: droppedBy("systemd") }],
    },
  ];
}
