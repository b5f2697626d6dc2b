/**
 * Counters of events that are rare, or not about an outlet.
 *
 * @module
 */
import { Counter, Registry } from "prom-client";
import { ABOUT, type OutletLabels } from "./outlet_counters.ts";

/** Counters of accept errors, reloads and background faults. */
export class EventCounters {
  readonly #registry = new Registry();
  readonly #acceptErrors = this.#counter(
    "outlet_accept_errors_total",
    "Errors of accept(2), by code.",
    [...ABOUT, "code"],
  );
  readonly #reloads = this.#counter(
    "outlet_reloads_total",
    "Reloads of the config, by result.",
    ["result"],
  );
  readonly #unexpectedErrors = this.#counter(
    "outlet_unexpected_errors_total",
    "Uncaught errors; each is a bug to be reported.",
    [],
  );
  readonly #taskFailures = this.#counter(
    "outlet_task_failures_total",
    "Failed background tasks; see the log.",
    [],
  );

  /** Counts an error of accept(2). */
  acceptError(labels: OutletLabels, code: string): void {
    this.#acceptErrors.inc({ ...labels, code });
  }

  /** Counts a reload. */
  reload(result: "reloaded" | "rejected"): void {
    this.#reloads.inc({ result });
  }

  /** Counts an uncaught error. */
  unexpectedError(): void {
    this.#unexpectedErrors.inc();
  }

  /** Counts a failed background task. */
  taskFailure(): void {
    this.#taskFailures.inc();
  }

  /** The counters in Prometheus's text format. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  /** The media type of Prometheus's text format. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #counter<const Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
