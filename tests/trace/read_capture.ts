/**
 * Traces the captures in `captures/`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Flow } from "../../src/trace/track/flow.ts";
import { type CaptureCounters, CapturePipeline } from "../../src/trace/track/capture_pipeline.ts";
import type { SegmentAnalysis } from "../../src/trace/track/segment_history.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";

const FOLDER = new URL("captures/", import.meta.url);

/** Names of all captures, without extension. */
export const CAPTURES: readonly string[] = [...Deno.readDirSync(FOLDER)]
  .map(({ name }) => name).filter((name) => name.endsWith(".pcap"))
  .map((name) => name.replace(/\.pcap$/, "")).toSorted();

/** Path of a capture. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`${name}.pcap`, FOLDER));
}

/** Contents of a capture. */
export function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(pathOf(name));
}

/** Flows and counters of a capture. */
export interface TracedCapture {
  readonly flows: readonly Flow[];
  readonly counters: CaptureCounters;
}

/** Traces a capture. */
export function read(name: string): TracedCapture {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const pipeline = new CapturePipeline(tracker);
  pipeline.feed(bytesOf(name));
  tracker.finish();
  return { flows, counters: pipeline.counters };
}

/** Analysis of each shown segment. */
export function analysesOf(flow: Flow): SegmentAnalysis[] {
  return flow.history!.entries.flatMap((line) => line.kind === "segment" ? [line.analysis] : []);
}

/** Number of segments and ICMP errors in a ladder, including omitted ones. */
export function shownCount(flow: Flow): number {
  return flow.history!.entries.reduce(
    (sum, line) => sum + (line.kind === "omitted" ? line.segments + line.icmpErrors : 1),
    0,
  );
}
