/**
 * One flood of one surface, with an echo beside it that has to go on.
 *
 * @module
 */
import { ROOT } from "../harness/program.ts";
import type { Subject } from "./subject.ts";
import { quantile, speak } from "./victim.ts";

/** How much longer a flood lasts where the echo beside it is held up, in seconds: a frozen server reaches that. */
const FROZEN = 180;

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

/** Floods a surface for so many seconds, and as long as the echo beside it needs to be answered often enough. */
export async function flood(
  subject: Subject,
  { surface, kind, seconds }: { surface: string; kind: string; seconds: number },
): Promise<FloodResult> {
  // Each look begins the figure anew.
  await loopDelay(subject);
  const attack = new Deno.Command("python3", {
    args: [
      `${ROOT}tests/hostile/attack.py`,
      kind,
      subject.targets.get(surface)!,
      String(seconds + FROZEN),
    ],
    stderr: "piped",
  }).spawn();
  const { times, failures } = await speak(subject.victim, { seconds, most: seconds + FROZEN });
  try {
    attack.kill("SIGKILL");
  } catch {
    // It has ended by itself: see below.
  }
  const { signal, stderr } = await attack.output();
  const broken = signal === "SIGKILL"
    ? []
    : [`it ended early: ${new TextDecoder().decode(stderr)}`];
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
