/**
 * One flood of one surface, with an echo beside it that has to go on.
 *
 * @module
 */
import { ROOT } from "../harness/program.ts";
import type { Subject } from "./subject.ts";
import { quantile, speak } from "./victim.ts";

/** What a flood did to those who mean well. */
export interface FloodResult {
  /** Round trips of the echo while it lasted. */
  readonly roundTrips: number;
  /** What half of them stayed below, what 99 of 100 did, and the longest, in milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
  /** The longest turn of the server's event loop beyond its length, in milliseconds; NaN where it did not say. */
  readonly loopDelay: number;
  /** What failed. */
  readonly failures: readonly string[];
  /** The server's memory after it, in bytes. */
  readonly memory: number;
}

/** Floods a surface for so many seconds. */
export async function flood(
  subject: Subject,
  { surface, kind, seconds }: { surface: string; kind: string; seconds: number },
): Promise<FloodResult> {
  // Each look begins the figure anew.
  await loopDelay(subject);
  const over = new AbortController();
  const seen = speak(subject.victim, over.signal);
  const attack = await new Deno.Command("python3", {
    args: [
      `${ROOT}tests/hostile/attack.py`,
      kind,
      subject.targets.get(surface)!,
      String(seconds),
    ],
    stderr: "piped",
  }).output();
  over.abort();
  const { times, failures } = await seen;
  const broken = attack.success ? [] : [new TextDecoder().decode(attack.stderr)];
  return {
    roundTrips: times.length,
    median: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    longest: quantile(times, 1),
    loopDelay: await loopDelay(subject),
    failures: [...failures, ...broken],
    memory: subject.memory,
  };
}

async function loopDelay(subject: Subject): Promise<number> {
  const seconds = await subject.metric("outlet_event_loop_delay_longest_seconds").catch(() => NaN);
  return (seconds ?? NaN) * 1000;
}
