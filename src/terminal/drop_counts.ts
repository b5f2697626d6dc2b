/**
 * Counts messages that were dropped by the sinks of this process.
 *
 * @module
 */

/** A sink with a counter. */
export type CountedSink = "stderr" | "stdout" | "file" | "systemd";

const counts = new Map<CountedSink, number>();

/** Adds to a sink's counter. */
export function countDropped(sink: CountedSink, count: number): void {
  counts.set(sink, droppedBy(sink) + count);
}

/** The messages that a sink has dropped since the process started. */
export function droppedBy(sink: CountedSink): number {
  return counts.get(sink) ?? 0;
}
