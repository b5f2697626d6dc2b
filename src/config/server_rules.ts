/**
 * What options of a server as a whole don't go together.
 *
 * @module
 */
import { UsageError } from "../options/usage_error.ts";
import type { ServerConfig, ServerOptions } from "./server_config.ts";

/**
 * Refuses two ways to say who we are to the bus.
 *
 * @throws {UsageError} which names them
 */
export function checkBus({ bus, "bus-credentials": credentials }: ServerOptions): void {
  if (credentials === undefined || bus?.user === undefined) return;
  throw new UsageError("bus-credentials and the user in the URL of bus exclude each other", {
    option: "bus-credentials",
  });
}

/**
 * Refuses what several workers cannot share.
 *
 * @throws {UsageError} which names the service
 */
export function checkWorkers({ outlets, options: { workers } }: ServerConfig): void {
  if (workers === 1 || outlets.every(({ service }) => service !== "stdio")) return;
  throw new UsageError("workers and stdio exclude each other: there is one standard input", {
    option: "workers",
  });
}

/**
 * Refuses a config that would close every outlet of a running server: an emptied list is more often a slip than a
 * wish, and stopping the server says the same without doubt. A server that began without outlets may be emptied again.
 *
 * @throws {UsageError} which says what to do instead
 */
export function refuseEmptyReload(
  { atStart, next }: { atStart: ServerConfig; next: ServerConfig },
): void {
  if (next.outlets.length > 0 || atStart.outlets.length === 0) return;
  throw new UsageError(
    "outlets: the list is empty, and every outlet would close: stop the server instead",
  );
}
