/**
 * Metrics of the kernel's accept queues.
 *
 * @module
 */
import type { ListenCounters } from "../trace/kernel/parse_sockets.ts";
import type { Family } from "./exposition.ts";

/** The metrics of full accept queues; none without counters. */
export function kernelMetrics(counters: ListenCounters | undefined): Family[] {
  if (counters === undefined) return [];
  const family = (name: string, help: string, value: number): Family => ({
    name,
    help: `${help}, of any program in this network namespace.`,
    type: "counter",
    samples: () => [{ labels: "", value }],
  });
  return [
    family(
      "outlet_kernel_listen_overflows_total",
      "Connections dropped because an accept queue was full",
      counters.overflows,
    ),
    family(
      "outlet_kernel_listen_drops_total",
      "Connections dropped by the kernel before accept",
      counters.drops,
    ),
  ];
}
