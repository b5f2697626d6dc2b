/**
 * How names are looked up, for Prometheus: read when somebody asks.
 *
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { ResolverCounts } from "../transport/resolver.ts";

/** The metrics of a resolver, in Prometheus's text format. */
export function resolverMetrics(counts: () => ResolverCounts): { text(): Promise<string> } {
  const registers = [new Registry()];
  new Counter({
    name: "outlet_name_lookups_total",
    help: "Names that were to be looked up, by what came of it; refused ones were not, " +
      "because too many others were silent.",
    labelNames: ["result"],
    registers,
    collect() {
      const { lookups, failures, underWay, refused } = counts();
      this.reset();
      this.inc({ result: "answered" }, lookups - failures - underWay);
      this.inc({ result: "failed" }, failures);
      this.inc({ result: "refused" }, refused);
    },
  });
  new Counter({
    name: "outlet_name_cache_hits_total",
    help:
      "Names that were known: from a moment ago (fresh), or from before the system fell silent.",
    labelNames: ["age"],
    registers,
    collect() {
      const { hits, stale } = counts();
      this.reset();
      this.inc({ age: "fresh" }, hits);
      this.inc({ age: "stale" }, stale);
    },
  });
  new Gauge({
    name: "outlet_name_lookups_running",
    help: "Names that are being looked up: queued, waiting for an answer, silent for a while.",
    labelNames: ["state"],
    registers,
    collect() {
      const { underWay, silent, queued } = counts();
      this.set({ state: "queued" }, queued);
      this.set({ state: "waiting" }, underWay - silent);
      this.set({ state: "silent" }, silent);
    },
  });
  new Gauge({
    name: "outlet_name_waiters",
    help: "Connects that wait for a name now.",
    registers,
    collect() {
      this.set(counts().waiting);
    },
  });
  return { text: () => registers[0]!.metrics() };
}
