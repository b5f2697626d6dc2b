/**
 * Conversations written down segment by segment, and played to a tracker.
 *
 * @module
 */
import type { Flow } from "../../src/trace/track/flow.ts";
import { Segment } from "../../src/trace/decode/segment.ts";
import { Tracker, type TrackerOptions } from "../../src/trace/track/tracker.ts";
import { bits } from "./wire.ts";

/** Where a played conversation takes place. */
export interface Stage {
  readonly client?: readonly [address: number, port: number];
  readonly server?: readonly [address: number, port: number];
  /** The interface it is seen on. */
  readonly device?: number;
}

let identification = 0;

/**
 * One segment from a line such as `> SA seq=1 ack=2 len=3 at=4 win=5`: the direction, the control bits
 * (`-` for none), and what is not 0. `at` is in milliseconds.
 */
export function segmentOf(line: string, stage: Stage = {}): Segment {
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
  // No two datagrams are the same, unless a test says so.
  segment.identification = values.get("id") ?? (identification = identification % 0xffff + 1);
  segment.hopLimit = values.get("ttl") ?? 64;
  const at = values.get("at") ?? 0;
  segment.seconds = Math.floor(at / 1000);
  segment.nanoseconds = at % 1000 * 1e6;
  return segment;
}

/** A tracker, and what it told. */
export interface Played {
  readonly tracker: Tracker;
  /** Every flow that was finished or is still open, in the order in which the tracker told of it. */
  readonly flows: Flow[];
}

/** Plays lines of segments to a tracker, one a line, and then finishes it. */
export function play(script: string, options: TrackerOptions & Stage = {}): Played {
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

/** The only flow of a script. */
export function playOne(script: string): Flow {
  const { flows } = play(script);
  if (flows.length !== 1) throw new Error(`${flows.length} flows`);
  return flows[0]!;
}

/** Each end's states after each segment, client first. */
export function statesOf(flow: Flow): string[] {
  return flow.history!.entries.map(({ client, server }) => `${client} ${server}`);
}
