/**
 * Telling when a connection has fallen silent, without a cost on the byte path: the counters are looked
 * at now and then, instead of a timer being wound up for every byte.
 *
 * @module
 */
import type { Connection } from "./connection.ts";

/** How often the counters are looked at within the time allowed. */
const LOOKS = 10;

/** Hangs up with reason `idle` once nothing came or went for `timeout` milliseconds; until disposed. */
export function hangUpWhenIdle(connection: Connection, timeout: number): Disposable {
  let moved = connection.bytesIn + connection.bytesOut;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const total = connection.bytesIn + connection.bytesOut;
    if (total !== moved) {
      moved = total;
      since = now;
    } else if (now - since >= timeout) {
      connection.hangUp("idle");
    }
  }, timeout / LOOKS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
