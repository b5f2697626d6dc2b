/**
 * Measures servers in turn, round after round, so that other load of the machine affects all of
 * them.
 *
 * @module
 */
import type { BenchTools, NativeTool } from "./tools.ts";
import type { Subject } from "./subject.ts";

/** A load's result, which it prints as a line of JSON. */
export interface Outcome {
  /** Number of completed operations. */
  readonly operations: number;
  /** Duration. */
  readonly seconds: number;
  /** Number of bytes received. */
  readonly bytes: number;
  /** Latencies in microseconds, if measured. */
  readonly p50: number;
  readonly p99: number;
}

/** A run of a load with one server. */
export interface Sample {
  /** Units of the comparison per second. */
  readonly rate: number;
  /** The server's processor time in microseconds per unit. */
  readonly cost: number;
  /** The 99th percentile of the latency, in microseconds. */
  readonly p99: number;
}

/** A load, and how it is counted. */
export interface Load {
  /** The program, and its arguments after the port. */
  readonly tool: NativeTool;
  readonly args: readonly (string | number)[];
  /** The number of completed units. */
  count(outcome: Outcome): number;
}

/** A load that failed, with its last line of stderr. */
export class LoadError extends Error {}

/** Runs one load with one server. */
export async function sample(
  subject: Subject,
  { load, workshop }: { load: Load; workshop: BenchTools },
): Promise<Sample> {
  const before = subject.processorSeconds;
  const outcome = await runTool(workshop.path(load.tool), [subject.port, ...load.args]);
  const spent = subject.processorSeconds - before;
  const units = load.count(outcome);
  return { rate: units / outcome.seconds, cost: spent * 1e6 / units, p99: outcome.p99 };
}

/** Runs a load to its end. */
async function runTool(path: string, args: readonly (string | number)[]): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(path, {
    args: args.map(String),
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const output = new TextDecoder().decode(success ? stdout : stderr).trim();
  if (!success) throw new LoadError(output);
  return JSON.parse(output);
}

/** The median. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The minimum and the maximum, in percent of the median. */
export function spread(figures: readonly number[]): string {
  const middle = median(figures);
  const percent = (figure: number) => `${Math.round((figure / middle - 1) * 100)}`;
  return `${percent(Math.min(...figures))} to +${percent(Math.max(...figures))} %`;
}
