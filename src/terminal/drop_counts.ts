/**
 * What the sinks of this process have dropped, because they were not taken in time.
 *
 * @module
 */

/** A sink whose losses are counted. */
export type CountedSink = "stderr" | "stdout" | "file" | "systemd";

const counts = new Map<CountedSink, number>();

/** Counts texts that a sink has dropped. */
export function countDropped(sink: CountedSink, count: number): void {
  counts.set(sink, droppedBy(sink) + count);
}

/** How many texts a sink has dropped since the process began. */
export function droppedBy(sink: CountedSink): number {
  return counts.get(sink) ?? 0;
}
