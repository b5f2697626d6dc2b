/**
 * Counters of events that are rare, or not about an outlet.
 *
 * @module
 */
import { Counter, type Registry } from "prom-client";
import { ABOUT } from "./outlet_counters.ts";

/** The counters, by what they count. */
export interface EventCounters {
  /** Errors of accept(2). */
  readonly faults: Counter<"outlet" | "address" | "code">;
  /** Reloads. */
  readonly reloads: Counter<"result">;
  /** Uncaught errors. */
  readonly errors: Counter<never>;
  /** Failed background tasks. */
  readonly tasks: Counter<never>;
}

/** Registers the counters. */
export function eventCounters(registry: Registry): EventCounters {
  const counter = <const Label extends string>(name: string, help: string, labels: Label[]) =>
    new Counter({ name, help, labelNames: labels, registers: [registry] });
  return {
    faults: counter(
      "outlet_accept_errors_total",
      "Errors of accept(2), by code.",
      [...ABOUT, "code"],
    ),
    reloads: counter("outlet_reloads_total", "Reloads of the config, by result.", ["result"]),
    errors: counter(
      "outlet_unexpected_errors_total",
      "Uncaught errors; each is a bug to be reported.",
      [],
    ),
    tasks: counter(
      "outlet_task_failures_total",
      "Failed background tasks; see the log.",
      [],
    ),
  };
}
