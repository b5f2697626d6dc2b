/**
 * Giving memory back to the system once a crowd has come to rest, or has gone.
 *
 * V8 lets its heap grow with a burst of clients and has no reason to look at it again while nothing happens: 10,000
 * idle connections then take 17 KB each instead of 7, and go on taking them when they are closed.
 *
 * @module
 */
import type { ServerHandle } from "../server/handle.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("giving memory back", {
  without: "V8 does it when it has to",
});

/** How long nobody may come, go or say anything before it is time, in milliseconds. */
const REST = 2_000;

/** How many have to have come or gone since the last time: to collect garbage takes some 15 µs for each who is there. */
const CROWD = 2_000;

/** Looks now and then whether a crowd rests, until it is disposed. */
export function trimHeap(server: Pick<ServerHandle, "connections">): Disposable {
  const crowd = new IdleDetector();
  const timer = setInterval(
    tasks.guard(() => crowd.rests(server.connections()) && collectGarbage()),
    REST,
  );
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** What is known of a crowd from one look to the next. */
export class IdleDetector {
  #count = 0;
  #bytes = 0;
  #countBefore = 0;

  /** Whether this is the first look at which a crowd that has come or gone does nothing any more. */
  rests(connections: ReturnType<ServerHandle["connections"]>): boolean {
    let [count, bytes] = [0, 0];
    for (const { connection } of connections) {
      count++;
      bytes += connection.bytesIn + connection.bytesOut;
    }
    const moves = count !== this.#count || bytes !== this.#bytes;
    this.#count = count;
    this.#bytes = bytes;
    if (moves || Math.abs(count - this.#countBefore) < CROWD) return false;
    this.#countBefore = count;
    return true;
  }
}

/** Lets V8 look through all of its heap at once, where it can be asked to. */
export async function collectGarbage(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  try {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    collect();
  } catch {
    // This V8 cannot be asked; it will collect when it has to.
  }
}
