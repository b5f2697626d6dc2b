/**
 * Metrics of outlets.
 *
 * @module
 */
import type { Family, Sample } from "./exposition.ts";
import { labelText } from "./exposition.ts";
import type { Distribution, OutletCounters } from "./outlet_counters.ts";

/** The values of outlets. */
export interface OutletFigures {
  /** The counters of all outlets. */
  counters(): Iterable<OutletCounters>;
  /** Open connections of each. */
  open(): ReadonlyMap<OutletCounters, number>;
  /** Bytes and datagrams of each, including those of open connections. */
  sums(): ReadonlyMap<OutletCounters, TrafficSum>;
  /** The accept queue of each, where known. */
  queues(): ReadonlyMap<OutletCounters, number>;
}

/** The bytes of an outlet in each direction, and its datagrams. */
export interface TrafficSum extends Record<Direction, number> {
  /** Its datagrams. */
  readonly datagrams: Record<Direction, number>;
}

/** Received from clients, or sent to them. */
export type Direction = "in" | "out";

const DIRECTIONS: readonly Direction[] = ["in", "out"];

/** The metrics of outlets. */
export function outletMetrics(figures: OutletFigures): Family[] {
  return [...counts(figures), ...traffic(figures), ...byReason(figures), ...distributions(figures)];
}

function counts({ counters, open, queues }: OutletFigures): Family[] {
  return [
    {
      name: "outlet_connections_opened_total",
      help: "Admitted connections.",
      type: "counter",
      *samples() {
        for (const { labels, opened } of counters()) yield { labels, value: opened };
      },
    },
    {
      name: "outlet_connections_open",
      help: "Open connections.",
      type: "gauge",
      *samples() {
        for (const [{ labels }, value] of open()) yield { labels, value };
      },
    },
    {
      name: "outlet_accept_queue_length",
      help: "Connections in the kernel's accept queue.",
      type: "gauge",
      *samples() {
        for (const [{ labels }, value] of queues()) yield { labels, value };
      },
    },
  ];
}

function traffic({ sums }: OutletFigures): Family[] {
  return [
    {
      name: "outlet_bytes_total",
      help: "Bytes received from clients (in) and sent to them (out).",
      type: "counter",
      *samples() {
        for (const [{ labels }, sum] of sums()) yield* bothWays(labels, sum);
      },
    },
    {
      name: "outlet_datagrams_total",
      help: "Datagrams received from clients (in) and sent to them (out).",
      type: "counter",
      *samples() {
        for (const [{ labels }, { datagrams }] of sums()) {
          if (datagrams.in > 0 || datagrams.out > 0) yield* bothWays(labels, datagrams);
        }
      },
    },
  ];
}

function* bothWays(labels: string, sum: Readonly<Record<Direction, number>>): Generator<Sample> {
  for (const direction of DIRECTIONS) {
    yield { labels: `${labels},direction="${direction}"`, value: sum[direction] };
  }
}

function byReason({ counters }: OutletFigures): Family[] {
  const family = (
    name: string,
    help: string,
    counts: "refused" | "closed" | "dropped",
  ): Family => ({
    name,
    help,
    type: "counter",
    *samples() {
      for (const { labels, [counts]: reasons } of counters()) {
        for (const [reason, value] of reasons) {
          yield { labels: `${labels},${labelText({ reason })}`, value };
        }
      }
    },
  });
  return [
    family("outlet_connections_refused_total", "Refused connections, by reason.", "refused"),
    family(
      "outlet_connections_closed_total",
      "Closed connections, by reason.",
      "closed",
    ),
    family("outlet_datagrams_dropped_total", "Dropped datagrams, by reason.", "dropped"),
  ];
}

function distributions({ counters }: OutletFigures): Family[] {
  return [
    {
      name: "outlet_connection_duration_seconds",
      help: "Durations of connections.",
      type: "histogram",
      *samples() {
        for (const { labels, durations } of counters()) yield* histogram(durations, labels);
      },
    },
    {
      name: "outlet_connection_bytes",
      help: "Bytes of connections.",
      type: "histogram",
      *samples() {
        for (const { labels, sizes } of counters()) {
          for (const direction of DIRECTIONS) {
            yield* histogram(sizes[direction], `${labels},direction="${direction}"`);
          }
        }
      },
    },
  ];
}

/** The samples of a histogram: cumulative buckets, sum and count. */
export function* histogram(distribution: Distribution, labels: string): Generator<Sample> {
  const more = labels && `,${labels}`;
  for (const [le, value] of distribution.buckets()) {
    yield { suffix: "_bucket", labels: `le="${le}"${more}`, value };
  }
  yield { suffix: "_sum", labels, value: distribution.sum };
  yield { suffix: "_count", labels, value: distribution.count };
}
