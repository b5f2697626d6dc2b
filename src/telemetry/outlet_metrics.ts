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
  /** Bytes of each, including those of open connections. */
  bytes(): ReadonlyMap<OutletCounters, Readonly<Record<Direction, number>>>;
  /** The accept queue of each, where known. */
  queues(): ReadonlyMap<OutletCounters, number>;
}

/** Received from clients, or sent to them. */
export type Direction = "in" | "out";

const DIRECTIONS: readonly Direction[] = ["in", "out"];

/** The metrics of outlets. */
export function outletMetrics(figures: OutletFigures): Family[] {
  return [...counts(figures), ...byReason(figures), ...distributions(figures)];
}

function counts({ counters, open, bytes, queues }: OutletFigures): Family[] {
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
      name: "outlet_bytes_total",
      help: "Bytes received from clients (in) and sent to them (out).",
      type: "counter",
      *samples() {
        for (const [{ labels }, sums] of bytes()) {
          for (const direction of DIRECTIONS) {
            yield { labels: `${labels},direction="${direction}"`, value: sums[direction] };
          }
        }
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

function byReason({ counters }: OutletFigures): Family[] {
  const family = (name: string, help: string, counts: "refused" | "closed"): Family => ({
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
