/**
 * A server's life: it opens, changes with its config, and drains.
 *
 * @module
 */
import type { ServerConfig } from "../config/server_config.ts";
import type { ServerHandle } from "../server/handle.ts";
import { EventBus } from "../events/event_bus.ts";
import { Server } from "../server.ts";
import type { Standard } from "../services/service.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { prepareAll, type Preparing } from "./prepared.ts";
import { explain } from "../transport/errors.ts";

/** What a server that runs by itself is given besides its config. */
export interface ServeOptions {
  /** Aborted when the server is to stop. */
  readonly signal: AbortSignal;
  /** Told of everything that happens. */
  readonly eventBus?: EventBus;
  /** The standard streams, for services that join clients to them. */
  readonly standard?: Standard;
  /** Called once every outlet is open; where it fails, the server stops. */
  readonly onOpen?: (server: ServerHandle) => void | Promise<void>;
  /** Other configs to become, one after the other; they end once the signal is aborted. */
  readonly changes?: AsyncIterable<ServerConfig>;
  /** Who goes along with each of them. Either everything changes, or nothing does. */
  readonly observers?: readonly Preparing[];
}

/**
 * Serves until the signal is aborted, then drains.
 *
 * @returns how many connections had to be cut
 */
export async function serve(
  config: ServerConfig,
  { signal, eventBus = new EventBus(), standard, onOpen, changes, observers = [] }: ServeOptions,
): Promise<number> {
  await using server = await openServer(config, { eventBus, standard });
  await onOpen?.(server);
  let { options } = config;
  const become = async (next: ServerConfig) => {
    await using undo = new AsyncDisposableStack();
    const prepared = undo.use(await prepareAll(observers, next.options));
    const changed = await server.change(next);
    undo.move();
    await prepared.commit();
    eventBus.publish({ event: "reloaded", ...changed });
    options = next.options;
  };
  const follow = async () => {
    for await (const next of changes ?? []) {
      await become(next).catch((error) =>
        eventBus.publish({ event: "rejected", reason: `${explain(error)}; all stays as it was` })
      );
    }
    await aborted(signal);
  };
  const followed = follow();
  handledElsewhere(followed);
  await Promise.race([followed, aborted(server.failed)]);
  const grace = options["drain-timeout"];
  eventBus.publish({ event: "draining", live: [...server.connections()].length, grace });
  const cut = await server.stop({ grace });
  server.failed.throwIfAborted();
  return cut;
}

/** One server, or several workers where they were asked for. */
async function openServer(
  config: ServerConfig,
  parts: { eventBus: EventBus; standard: Standard | undefined },
): Promise<ServerHandle> {
  const { workers } = config.options;
  const count = workers === "auto" ? navigator.hardwareConcurrency : workers;
  if (count === 1) return await Server.open(config, parts);
  const { Supervisor } = await import("../workers/supervisor.ts");
  return await Supervisor.open(config, { workers: count, eventBus: parts.eventBus });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
