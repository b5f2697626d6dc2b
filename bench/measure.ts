/**
 * Measuring side by side: everyone in turn, round after round, so that what else the machine does falls on all.
 *
 * @module
 */
import type { NativeTool, Workshop } from "./tools.ts";
import type { Subject } from "./subject.ts";

/** What a load reports: a line of JSON. */
export interface Outcome {
  /** What went through. */
  readonly operations: number;
  /** How long it took. */
  readonly seconds: number;
  /** Bytes that came back. */
  readonly bytes: number;
  /** Latencies in microseconds, where they were taken. */
  readonly p50: number;
  readonly p99: number;
}

/** One run of a load against one subject. */
export interface Sample {
  /** In the unit of the contest, the more the better. */
  readonly rate: number;
  /** Microseconds of the subject's processor time for each unit. */
  readonly cost: number;
  /** The 99th percentile of latency, in microseconds. */
  readonly p99: number;
}

/** What is done to subjects, and how it is counted. */
export interface Load {
  /** The program that does it, and its words behind the port. */
  readonly tool: NativeTool;
  readonly words: readonly (string | number)[];
  /** How many units went through. */
  count(outcome: Outcome): number;
}

/** A load that failed: what it complained of. */
export class LoadError extends Error {}

/** Runs one load against one subject. */
export async function sample(
  subject: Subject,
  { load, workshop }: { load: Load; workshop: Workshop },
): Promise<Sample> {
  const before = subject.processorSeconds;
  const outcome = await runTool(workshop.path(load.tool), [subject.port, ...load.words]);
  const spent = subject.processorSeconds - before;
  const units = load.count(outcome);
  return { rate: units / outcome.seconds, cost: spent * 1e6 / units, p99: outcome.p99 };
}

/** Runs a load to its end. */
async function runTool(path: string, words: readonly (string | number)[]): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(path, {
    args: words.map(String),
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const said = new TextDecoder().decode(success ? stdout : stderr).trim();
  if (!success) throw new LoadError(said);
  return JSON.parse(said);
}

/** The figure in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The lowest and the highest, in percent of the median. */
export function spread(figures: readonly number[]): string {
  const middle = median(figures);
  const percent = (figure: number) => `${Math.round((figure / middle - 1) * 100)}`;
  return `${percent(Math.min(...figures))} to +${percent(Math.max(...figures))} %`;
}
