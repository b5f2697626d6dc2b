/**
 * Checks of a server's options.
 *
 * @module
 */
import { formatAddress, isAbstract, isUnix } from "../endpoint/address.ts";
import { UsageError } from "../options/usage_error.ts";
import type { ServerConfig, ServerOptions } from "./server_config.ts";

/**
 * Refuses two sets of credentials for the bus.
 *
 * @throws {UsageError} which names them
 */
export function checkBus({ bus, "bus-credentials": credentials }: ServerOptions): void {
  if (credentials === undefined || bus?.user === undefined) return;
  throw new UsageError("bus-credentials and a user in the URL of bus exclude each other", {
    option: "bus-credentials",
  });
}

/**
 * Refuses services that cannot be shared by several workers.
 *
 * @throws {UsageError} which names the service
 */
export function checkWorkers({ outlets, options: { workers } }: ServerConfig): void {
  const abstract = outlets.find(({ listen }) => isUnix(listen) && isAbstract(listen.path));
  if (workers !== 1 && abstract) {
    throw new UsageError(
      `workers and ${formatAddress(abstract.listen)} exclude each other: ` +
        "threads can share a Unix socket only by its file",
      { option: "workers" },
    );
  }
  if (workers === 1 || outlets.every(({ service }) => service !== "stdio")) return;
  throw new UsageError("workers and stdio exclude each other: there is one standard input", {
    option: "workers",
  });
}

/**
 * Refuses a reload that would close all outlets, which is more often a mistake than intended; a server that started
 * without outlets may have none again.
 *
 * @throws {UsageError} which says what to do instead
 */
export function checkNotEmptied(
  { atStart, next }: { atStart: ServerConfig; next: ServerConfig },
): void {
  if (next.outlets.length > 0 || atStart.outlets.length === 0) return;
  throw new UsageError(
    "outlets: the list is empty, which would close every outlet: stop the server instead",
  );
}
