/**
 * Checks of a server's options.
 *
 * @module
 */
import { formatAddress, isAbstract, isUnix } from "../endpoint/address.ts";
import { UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { OutletOptions } from "./outlet_options.ts";
import { stdoutOption } from "./outlet_rules.ts";
import type { OutletConfig, ServerConfig, ServerOptions } from "./server_config.ts";

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
  if (workers !== 1) checkThreads(outlets);
}

/**
 * Refuses outlets that several threads cannot serve together.
 *
 * @throws {UsageError} which names the service or the option
 */
export function checkThreads(outlets: readonly OutletConfig[]): void {
  for (const { service, outletOptions } of outlets) {
    const why = SERVICES.get(service)!.oneThread;
    if (why !== undefined) {
      throw new UsageError(`workers and ${service} exclude each other: ${why}`, {
        option: "workers",
      });
    }
    const conflict = threadConflict(outletOptions);
    if (conflict !== undefined) throw new UsageError(conflict, { option: "workers" });
  }
}

/** Why several threads cannot serve an outlet with these options. */
function threadConflict(options: OutletOptions): string | undefined {
  if (options.once) {
    return "workers and once exclude each other: each worker would serve a client of its own";
  }
  const toStdout = stdoutOption(options);
  if (toStdout !== undefined) {
    return `workers and ${toStdout} on stdout exclude each other: write to a file`;
  }
  const writes = options.output ?? options["hex-dump"];
  if (writes === undefined || options["append-output"]) return undefined;
  return `with workers, ${
    options.output === undefined ? "hex-dump" : "output"
  } needs append-output: each worker opens the file`;
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
