/**
 * A plain client of the echo outlet beside the one that is flooded. It asks for nothing but its own bytes back.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";

/** How often it speaks, and how long it waits before it calls that a failure, in milliseconds. */
const TALK = { pause: 10, most: 10_000 };

/** What it has seen. */
export interface Seen {
  /** Round trips, in milliseconds. */
  readonly times: readonly number[];
  /** What failed. */
  readonly failures: readonly string[];
}

/** Speaks to an echo until the signal is aborted. A new connection is made for every tenth round trip. */
export async function speak(port: number, signal: AbortSignal): Promise<Seen> {
  const times: number[] = [];
  const failures: string[] = [];
  while (!signal.aborted) {
    try {
      using conn = await deadline(Deno.connect({ hostname: "127.0.0.1", port }), TALK.most);
      for (let i = 0; i < 10 && !signal.aborted; i++) {
        const start = performance.now();
        await deadline(roundTrip(conn), TALK.most);
        times.push(performance.now() - start);
        await delay(TALK.pause, { signal }).catch(() => {});
      }
    } catch (error) {
      failures.push(String(error));
    }
  }
  return { times, failures };
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

/** The value that `share` of the times stay below, in milliseconds. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
