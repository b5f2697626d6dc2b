/**
 * Floods one surface while another client uses an echo outlet.
 *
 * @module
 */
import { ROOT } from "../harness/program.ts";
import type { FloodedServer } from "./flooded_server.ts";
import { measureEcho, quantile } from "./echo_client.ts";

/**
 * The longest time that a flood is extended while the echo outlet is slow, in seconds; only a
 * frozen server needs that long.
 */
const EXTENSION_LIMIT = 180;

/** Results of the echo client during a flood. */
export interface FloodResult {
  /** Number of round trips. */
  readonly roundTrips: number;
  /** The median, the 99th percentile and the maximum, in milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
  /** The event loop's longest delay, in milliseconds; NaN if the server did not report it. */
  readonly loopDelay: number;
  /** Failed round trips. */
  readonly failures: readonly string[];
  /** The server's resident memory afterwards, in bytes. */
  readonly memory: number;
}

/** Floods a surface for a number of seconds, and until the echo client has had enough answers. */
export async function flood(
  subject: FloodedServer,
  { surface, kind, seconds }: { surface: string; kind: string; seconds: number },
): Promise<FloodResult> {
  // Each read resets the value.
  await loopDelay(subject);
  const attack = new Deno.Command("python3", {
    args: [
      `${ROOT}tests/hostile/attack.py`,
      kind,
      subject.targets.get(surface)!,
      String(seconds + EXTENSION_LIMIT),
    ],
    stderr: "piped",
  }).spawn();
  const { times, failures } = await measureEcho(subject.echoPort, {
    seconds,
    most: seconds + EXTENSION_LIMIT,
  });
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

async function loopDelay(subject: FloodedServer): Promise<number> {
  const seconds = await subject.metric("outlet_event_loop_delay_longest_seconds").catch(() => NaN);
  return (seconds ?? NaN) * 1000;
}
