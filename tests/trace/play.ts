/**
 * Plays connections, written as text, to a tracker.
 *
 * @module
 */
import type { Flow } from "../../src/trace/track/flow.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import { Tracker, type TrackerOptions } from "../../src/trace/track/tracker.ts";
import { bits } from "./wire.ts";

/** Addresses and interface of a played connection. */
export interface PlayOptions {
  readonly client?: readonly [address: number, port: number];
  readonly server?: readonly [address: number, port: number];
  /** Capture interface. */
  readonly device?: number;
}

let identification = 0;

/**
 * Parses a segment from a line such as `> SA seq=1 ack=2 len=3 at=4 win=5`: direction, control bits
 * (`-` for none), and fields, by default 0. `at` is in milliseconds.
 */
export function segmentOf(line: string, stage: PlayOptions = {}): Segment {
  const [direction, letters = "", ...fields] = line.trim().split(/\s+/);
  const values = new Map(fields.map((field) => {
    const [name = "", value] = field.split("=");
    return [name, Number(value)];
  }));
  const ends = [stage.client ?? [1, 40_000], stage.server ?? [2, 80]] as const;
  const [source, destination] = direction === ">" ? ends : [ends[1], ends[0]];
  const segment = new Segment();
  segment.addresses.set([0, 0, 0xffff, source[0], 0, 0, 0xffff, destination[0]]);
  segment.sourcePort = source[1];
  segment.destinationPort = destination[1];
  segment.flags = bits(letters);
  segment.seq = (values.get("seq") ?? 0) >>> 0;
  segment.ack = (values.get("ack") ?? 0) >>> 0;
  segment.length = values.get("len") ?? 0;
  segment.window = values.get("win") ?? 65_535;
  segment.interface = stage.device ?? 1;
  // IP identifications differ unless set by the test.
  segment.identification = values.get("id") ?? (identification = identification % 0xffff + 1);
  segment.hopLimit = values.get("ttl") ?? 64;
  const at = values.get("at") ?? 0;
  segment.seconds = Math.floor(at / 1000);
  segment.nanoseconds = at % 1000 * 1e6;
  return segment;
}

/** A tracker and the flows that it reported. */
export interface Played {
  readonly tracker: Tracker;
  /** Flows in the order in which they were reported. */
  readonly flows: Flow[];
}

/** Plays segments, one per line, and finishes the tracker. */
export function play(script: string, options: TrackerOptions & PlayOptions = {}): Played {
  const flows: Flow[] = [];
  const tracker = new Tracker({
    keepSegments: true,
    ...options,
    onFlow: (flow) => flows.push(flow),
  });
  for (const line of script.trim().split("\n")) tracker.track(segmentOf(line, options), "tcp");
  tracker.finish();
  return { tracker, flows };
}

/** Plays a script with exactly one flow. */
export function playOne(script: string): Flow {
  const { flows } = play(script);
  if (flows.length !== 1) throw new Error(`${flows.length} flows`);
  return flows[0]!;
}

/** States of client and server after each segment. */
export function statesOf(flow: Flow): string[] {
  return flow.history!.entries.map(({ client, server }) => `${client} ${server}`);
}
