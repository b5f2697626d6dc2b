/**
 * Notices that a peer resets its connection while its data is not relayed yet.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { TaskScope } from "../scheduling/task_scope.ts";
import { faultOf } from "../transport/errors.ts";
import type { Connection } from "./connection.ts";

/** The pause between two probes, in milliseconds. */
const PROBE_INTERVAL = 500;

const tasks = new TaskScope("watching for a reset", {
  consequence: "it is noticed later",
});

/**
 * Closes the connection when its peer resets it, until disposed. A FIN is a half-close and changes
 * nothing. At most one read is made ahead, which the next `read` returns.
 */
export function closeOnReset(connection: Connection): Disposable {
  const watching = new AbortController();
  tasks.run(watch(connection, watching.signal));
  return { [Symbol.dispose]: () => watching.abort() };
}

async function watch(connection: Connection, signal: AbortSignal): Promise<void> {
  try {
    await connection.readAhead();
    // Behind data or a FIN, a reset is noticed by the next write only.
    while (!signal.aborted) {
      await delay(PROBE_INTERVAL, { signal }).catch(() => {});
      if (!signal.aborted) await connection.probe();
    }
  } catch (error) {
    if (!signal.aborted) connection.close(faultOf(error));
  }
}
