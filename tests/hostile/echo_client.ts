/**
 * A client of the echo outlet beside a flooded one.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";

/** The minimum number of round trips during a flood, and the pause after each in milliseconds. */
const LOAD = { rounds: 30, pause: 10 };

/** Its results. */
export interface EchoResult {
  /** Round trip times, in milliseconds. */
  readonly times: readonly number[];
  /** Failed round trips. */
  readonly failures: readonly string[];
}

/**
 * Makes round trips for a number of seconds and until there are enough, for at most `most` seconds.
 * Each connection is used for ten round trips.
 */
export async function measureEcho(
  port: number,
  { seconds, most }: { seconds: number; most: number },
): Promise<EchoResult> {
  const seen = { times: [] as number[], failures: [] as string[] };
  const start = performance.now();
  const [end, last] = [start + seconds * 1_000, start + most * 1_000];
  const isDone = () => performance.now() >= (seen.times.length < LOAD.rounds ? last : end);
  while (!isDone()) {
    await deadline(
      roundTrips(port, { times: seen.times, isDone }),
      Math.max(0, last - performance.now()),
    )
      .catch((error: unknown) => seen.failures.push(String(error)));
  }
  if (seen.times.length < LOAD.rounds) seen.failures.push("it was not answered often enough");
  return seen;
}

/** Ten round trips over one connection. */
async function roundTrips(
  port: number,
  { times, isDone }: { times: number[]; isDone(): boolean },
): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  for (let i = 0; i < 10 && !isDone(); i++) {
    const start = performance.now();
    await roundTrip(conn);
    times.push(performance.now() - start);
    await delay(LOAD.pause);
  }
}

async function roundTrip(conn: Deno.TcpConn): Promise<void> {
  const sent = crypto.getRandomValues(new Uint8Array(16));
  await conn.write(sent);
  const received = new Uint8Array(16);
  for (let length = 0; length < received.length;) {
    const count = await conn.read(received.subarray(length));
    if (count === null) throw new Error("the echo ended");
    length += count;
  }
  if (received.some((byte, i) => byte !== sent[i])) throw new Error("other bytes came back");
}

/** The quantile `share` of the times, in milliseconds. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
