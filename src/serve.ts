/**
 * A server's life: it opens, changes with its config, and drains.
 *
 * @module
 */
import type { ServerConfig } from "./config/server_config.ts";
import type { Host } from "./host.ts";
import { Journal } from "./observe/journal.ts";
import { Server } from "./server.ts";
import type { Standard } from "./services/service.ts";
import { explain } from "./socket/faults.ts";

/** What a server that runs by itself is given besides its config. */
export interface ServeOptions {
  /** Aborted when the server is to stop. */
  readonly signal: AbortSignal;
  /** Told of everything that happens. */
  readonly journal?: Journal;
  /** The standard streams, for services that join clients to them. */
  readonly standard?: Standard;
  /** Called once every outlet is open; where it fails, the server stops. */
  readonly onOpen?: (server: Host) => void | Promise<void>;
  /** Other configs to become, one after the other; they end once the signal is aborted. */
  readonly changes?: AsyncIterable<ServerConfig>;
}

/**
 * Serves until the signal is aborted, then drains.
 *
 * @returns how many connections had to be cut
 */
export async function serve(
  config: ServerConfig,
  { signal, journal = new Journal(), standard, onOpen, changes }: ServeOptions,
): Promise<number> {
  await using server = await openHost(config, { journal, standard });
  await onOpen?.(server);
  let { options } = config;
  for await (const next of changes ?? []) {
    try {
      journal.publish({ event: "reloaded", ...await server.change(next) });
      options = next.options;
    } catch (error) {
      journal.publish({ event: "rejected", reason: explain(error) });
    }
  }
  await aborted(signal);
  const grace = options["drain-timeout"];
  journal.publish({ event: "draining", live: [...server.connections()].length, grace });
  return await server.stop({ grace });
}

/** One server, or a crew of workers where they were asked for. */
async function openHost(
  config: ServerConfig,
  parts: { journal: Journal; standard: Standard | undefined },
): Promise<Host> {
  const { workers } = config.options;
  const count = workers === "auto" ? navigator.hardwareConcurrency : workers;
  if (count === 1) return await Server.open(config, parts);
  const { Crew } = await import("./workers/crew.ts");
  return await Crew.open(config, { workers: count, journal: parts.journal });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
