/**
 * What outlets have counted, as Prometheus reads it.
 *
 * @module
 */
import type { Family, Sample } from "./exposition.ts";
import { labelText } from "./exposition.ts";
import type { Distribution, OutletCounters } from "./outlet_counters.ts";

/** The counters of outlets, and what is open there now. */
export interface OutletFigures {
  /** The counters of every outlet, whatever they are when somebody asks. */
  counters(): Iterable<OutletCounters>;
  /** How many connections each has now. */
  open(): ReadonlyMap<OutletCounters, number>;
  /** The bytes of each, those of open connections included. */
  bytes(): ReadonlyMap<OutletCounters, Readonly<Record<Direction, number>>>;
  /** How many clients wait to be accepted by each, where that is known. */
  queues(): ReadonlyMap<OutletCounters, number>;
}

/** From clients, or to them. */
export type Direction = "in" | "out";

const DIRECTIONS: readonly Direction[] = ["in", "out"];

/** The families. */
export function outletMetrics(figures: OutletFigures): Family[] {
  return [...counts(figures), ...byReason(figures), ...distributions(figures)];
}

function counts({ counters, open, bytes, queues }: OutletFigures): Family[] {
  return [
    {
      name: "outlet_connections_opened_total",
      help: "Clients that were let in.",
      type: "counter",
      *samples() {
        for (const { labels, opened } of counters()) yield { labels, value: opened };
      },
    },
    {
      name: "outlet_connections_open",
      help: "Connections that are open now.",
      type: "gauge",
      *samples() {
        for (const [{ labels }, value] of open()) yield { labels, value };
      },
    },
    {
      name: "outlet_bytes_total",
      help: "Bytes that came from clients (in) and went to them (out).",
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
      help: "Clients that wait in the kernel to be accepted.",
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
    family("outlet_connections_refused_total", "Clients that were turned away.", "refused"),
    family(
      "outlet_connections_closed_total",
      "Connections that have ended, by who or what ended them.",
      "closed",
    ),
  ];
}

function distributions({ counters }: OutletFigures): Family[] {
  return [
    {
      name: "outlet_connection_duration_seconds",
      help: "How long connections lived.",
      type: "histogram",
      *samples() {
        for (const { labels, durations } of counters()) yield* histogram(durations, labels);
      },
    },
    {
      name: "outlet_connection_bytes",
      help: "What connections carried.",
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

/** A histogram: a bucket for each bound with all up to it, the sum and the count. */
export function* histogram(distribution: Distribution, labels: string): Generator<Sample> {
  const more = labels && `,${labels}`;
  for (const [le, value] of distribution.buckets()) {
    yield { suffix: "_bucket", labels: `le="${le}"${more}`, value };
  }
  yield { suffix: "_sum", labels, value: distribution.sum };
  yield { suffix: "_count", labels, value: distribution.count };
}
