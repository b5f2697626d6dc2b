/**
 * The captures of `captures/`, read as `outlet trace --read` reads them.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Flow } from "../../src/trace/track/flow.ts";
import { type CaptureCounters, CapturePipeline } from "../../src/trace/track/capture_pipeline.ts";
import type { SegmentAnalysis } from "../../src/trace/track/segment_history.ts";
import { Tracker } from "../../src/trace/track/tracker.ts";

const FOLDER = new URL("captures/", import.meta.url);

/** The names of all captures, without their endings. */
export const CAPTURES: readonly string[] = [...Deno.readDirSync(FOLDER)]
  .map(({ name }) => name).filter((name) => name.endsWith(".pcap"))
  .map((name) => name.replace(/\.pcap$/, "")).toSorted();

/** Where a capture lies. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(`${name}.pcap`, FOLDER));
}

/** The bytes of a capture. */
export function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(pathOf(name));
}

/** What a capture holds. */
export interface Held {
  readonly flows: readonly Flow[];
  readonly facts: CaptureCounters;
}

/** Every flow of a capture, in the order in which the tracker tells of them. */
export function read(name: string): Held {
  const flows: Flow[] = [];
  const tracker = new Tracker({ keepSegments: true, onFlow: (flow) => flows.push(flow) });
  const pipeline = new CapturePipeline(tracker);
  pipeline.feed(bytesOf(name));
  tracker.finish();
  return { flows, facts: pipeline.counters };
}

/** What is remarkable about each segment of a flow that is shown. */
export function marksOf(flow: Flow): SegmentAnalysis[] {
  return flow.history!.entries.flatMap((line) => line.kind === "segment" ? [line.analysis] : []);
}

/** How many segments and ICMP errors a flow's ladder shows, or counts where it leaves them out. */
export function shownIn(flow: Flow): number {
  return flow.history!.entries.reduce(
    (sum, line) => sum + (line.kind === "omitted" ? line.segments + line.icmpErrors : 1),
    0,
  );
}
