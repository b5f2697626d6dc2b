/**
 * The tallies of outlets, as prom-client shows them.
 *
 * @module
 */
import { Counter, Histogram, Registry } from "prom-client";
import { ABOUT, type Distribution, type OutletCounters } from "./outlet_counters.ts";

/** Outlets' tallies. */
export interface OutletCounterSets {
  /** All that there are now. */
  values(): Iterable<OutletCounters>;
}

/** The tallies, whatever they are when somebody asks, in Prometheus's text format. */
export function outletMetrics(tallies: OutletCounterSets): { text(): Promise<string> } {
  const registry = new Registry();
  const registers = [registry];
  new Counter({
    name: "outlet_connections_opened_total",
    help: "Clients that were let in.",
    labelNames: ABOUT,
    registers,
    collect() {
      this.reset();
      for (const { labels, opened } of tallies.values()) this.inc({ ...labels }, opened);
    },
  });
  const byReason = (name: string, help: string, counts: "refused" | "closed") =>
    new Counter({
      name,
      help,
      labelNames: [...ABOUT, "reason"],
      registers,
      collect() {
        this.reset();
        for (const { labels, [counts]: reasons } of tallies.values()) {
          for (const [reason, count] of reasons) this.inc({ ...labels, reason }, count);
        }
      },
    });
  byReason("outlet_connections_refused_total", "Clients that were turned away.", "refused");
  byReason(
    "outlet_connections_closed_total",
    "Connections that have ended, by who or what ended them.",
    "closed",
  );
  const distribution = (name: string, help: string, of: DistributionsOf) =>
    registry.registerMetric(shownHistogram({ name, help }, () => linesOf(name, tallies, of)));
  distribution(
    "outlet_connection_duration_seconds",
    "How long connections lived.",
    ({ durations }) => [[{}, durations]],
  );
  distribution(
    "outlet_connection_bytes",
    "What connections carried.",
    ({ sizes }) => [[{ direction: "in" }, sizes.in], [{ direction: "out" }, sizes.out]],
  );
  return { text: async () => await registry.metrics() };
}

/** What a histogram shows of an outlet, with the labels that tell it apart. */
type DistributionsOf = (tally: OutletCounters) => [labels: Record<string, string>, Distribution][];

/** A histogram that shows values from elsewhere: prom-client has no way to give it some. */
function shownHistogram(
  about: { name: string; help: string },
  values: () => ReturnType<typeof linesOf>,
): Histogram {
  const histogram = new Histogram({ ...about, registers: [] });
  const empty = histogram.get();
  return Object.assign(histogram, {
    getForPromString: async () => ({ ...await empty, values: values() }),
  });
}

function linesOf(name: string, tallies: OutletCounterSets, of: DistributionsOf) {
  return [...tallies.values()].flatMap((tally) =>
    of(tally).flatMap(([more, distribution]) =>
      [...distribution.lines(name)].map(({ metricName, le, value }) => ({
        metricName,
        labels: { ...le === undefined ? {} : { le }, ...tally.labels, ...more },
        value,
      }))
    )
  );
}
